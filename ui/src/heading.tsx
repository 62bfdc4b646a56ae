// What a reader sees first: how the update ended, what it wrote, and which rules were broken.
import { count, counted, duration, isStream, isUpToDate, isView, lastPart, moment, sign, word, type Node } from "./model";
import { before, compared, doc, nodes, past, place, selected } from "./state";

const SHOWN = 3; // broken rules

export function Heading() {
  const { state, id, seconds, started } = doc.update;
  return (
    <header>
      <h1>{doc.pipeline.name}</h1>
      <p>
        <strong class={`state ${word(state)}`}>{sign(state)} {state ? word(state) : "no update"}</strong>
        {seconds !== null && <> in {duration(seconds)}</>}{id && <> · update {id.slice(0, 8)}</>}
        {started && <> · <time title={started}>{moment(started)}</time></>}
      </p>
      <Counts />
    </header>
  );
}

function Counts() {
  const states = new Map<string, number>();
  for (const flow of doc.flows) if (flow.status) states.set(flow.status, (states.get(flow.status) ?? 0) + 1);
  const rules = nodes.flatMap((node) => node.rules);
  const broken = rules.filter((rule) => rule.failed).length;
  return (
    <p class="counts">
      {[...states].map(([status, flows]) => <span class={word(status)}>{sign(status)} {counted(flows, "flow")} {word(status)}</span>)}
      {changes().map((text) => <span>{text}</span>)}
      {rules.length > 0 && <button class={broken ? "broken" : ""} onClick={() => (place.value = "rules")}>
        {broken ? `⚑ ${broken} of ${counted(rules.length, "rule")} broken` : `${counted(rules.length, "rule")} checked, none broken`}
      </button>}
    </p>
  );
}

// What the update changed: rows that streams added, and tables that were computed.
function changes(): string[] {
  const ran = nodes.filter((node) => node.status === "COMPLETED" && !isView(node));
  const streams = ran.filter(isStream);
  const others = ran.filter((node) => !isStream(node));
  const fed = streams.filter((node) => node.written > 0).length;
  const same = others.filter(isUpToDate).length;
  const sum = (value: (node: Node) => number): number => nodes.reduce((total, node) => total + value(node), 0);
  const [added, deleted, dropped] = [streams.reduce((total, { written }) => total + written, 0), sum((each) => each.deleted), sum((each) => each.dropped)];
  return [
    streams.length ? `+${counted(added, "row")} in ${fed < streams.length ? `${fed} of ` : ""}${counted(streams.length, "streaming table")}` : "",
    others.length > same ? `${counted(others.length - same, "table")} computed` : "",
    same ? `${counted(same, "table")} up to date` : "",
    deleted ? `−${counted(deleted, "row")} deleted` : "",
    dropped ? `${counted(dropped, "row")} dropped` : "",
  ].filter(Boolean);
}

export function BrokenRules() {
  const broken = nodes
    .flatMap((node) => node.rules.map((rule) => ({ ...rule, node })))
    .filter((rule) => rule.failed > 0)
    .sort((a, b) => b.failed - a.failed);
  if (!broken.length) return null;
  return (
    <section class="broken-rules" aria-label="Broken rules">
      {broken.slice(0, SHOWN).map(({ node, dataset, name, passed, failed }) => {
        const earlier = past.value?.failed_checks[`${dataset}/${name}`];
        return (
          <p>
            ⚑ <b>{name}</b> is broken in <button onClick={() => (selected.value = node.name)}>{lastPart(dataset)}</button> by {count(failed)} of {counted(passed + failed, "row")}
            {earlier !== undefined && before(node) !== null && <> ({count(earlier)} in update {compared.value.slice(0, 8)})</>}
          </p>
        );
      })}
      {broken.length > SHOWN && <p><button onClick={() => (place.value = "rules")}>{broken.length - SHOWN} more</button></p>}
    </section>
  );
}
