// This update and those before it; rows are compared with the one that is chosen here.
import type { Past, Request } from "./document";
import { count, duration, lastPart, moment, sign, word } from "./model";
import { compared, doc } from "./state";

const HEADINGS = ["Update", "State", "Started", "Time", "Rows written", "Broken rules", "Request", "Compare with"];

export function History() {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Updates">
      <table>
        <thead><tr>{HEADINGS.map((each) => <th scope="col" class={/Time|Rows|Broken/.test(each) ? "number" : ""}>{each}</th>)}</tr></thead>
        <tbody>{[...doc.history, shown()].reverse().map((update) => <Update {...update} />)}</tbody>
      </table>
    </div>
  );
}

// The update of the document, in the form of an earlier one.
function shown(): Past {
  const rows = doc.flows.reduce((total, flow) => total + flow.rows + flow.upserted, 0);
  const checks = doc.flows.flatMap((flow) => flow.rules.map((rule): [string, number] => [`${rule.dataset}/${rule.name}`, rule.failed]));
  return { ...doc.update, update: doc.update.id, rows, flows: {}, failed_checks: Object.fromEntries(checks) };
}

function Update({ update, state, started, seconds, rows, failed_checks, cause, request }: Past) {
  const isShown = update === doc.update.id;
  return (
    <tr class={word(state)}>
      <th scope="row">{update.slice(0, 8)}</th>
      <td>{sign(state)} {word(state)}</td>
      <td>{started && <time title={started}>{moment(started)}</time>}</td>
      <td class="number">{duration(seconds)}</td>
      <td class="number">{count(rows)}</td>
      <td class="number">{Object.values(failed_checks).filter(Boolean).length}</td>
      <td class="why">{asked(request)} ({word(cause).replace("_", " ")})</td>
      <td>{isShown ? "this report" : <input
        type="radio" name="compared" aria-label={`Compare with update ${update.slice(0, 8)}`}
        checked={compared.value === update} onChange={() => (compared.value = update)}
      />}</td>
    </tr>
  );
}

function asked({ full_refresh, refresh_selection = [], full_refresh_selection = [] }: Request): string {
  const parts = [
    full_refresh ? "full refresh" : "",
    refresh_selection.length ? `refresh of ${refresh_selection.map(lastPart).join(", ")}` : "",
    full_refresh_selection.length ? `full refresh of ${full_refresh_selection.map(lastPart).join(", ")}` : "",
  ];
  return parts.filter(Boolean).join("; ") || "refresh of everything";
}
