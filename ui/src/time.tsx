// Flows over time: a bar from the start to the end of each, on one axis.
import { duration, lastPart, sign, word } from "./model";
import { doc, matches } from "./state";

export function Time() {
  const flows = doc.flows.filter((flow) => flow.started && flow.ended && matches.value.has(flow.target));
  if (!flows.length) return <p>No flow has ended.</p>;
  const start = Math.min(...flows.map((flow) => Date.parse(flow.started as string)));
  const end = Math.max(...flows.map((flow) => Date.parse(flow.ended as string)), start + 1);
  const percent = (time: string): number => ((Date.parse(time) - start) / (end - start)) * 100;
  flows.sort((a, b) => percent(a.started as string) - percent(b.started as string));
  return (
    <>
      <p class="axis" aria-hidden="true"><span /><span>0 s</span><span>{duration((end - start) / 2000)}</span><span>{duration((end - start) / 1000)}</span><span /></p>
      <ol class="time" aria-label="Flows over time">
        {flows.map((flow) => {
          const left = percent(flow.started as string);
          const width = Math.max(0.3, percent(flow.ended as string) - left);
          return (
            <li>
              <span title={flow.name}>{flow.status === "COMPLETED" ? "" : `${sign(flow.status)} `}{lastPart(flow.name)}</span>
              <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                <rect class={word(flow.status)} x={Math.min(left, 99.7)} width={width} height={10} />
              </svg>
              <span class="number">{duration(flow.seconds)}</span>
            </li>
          );
        })}
      </ol>
    </>
  );
}
