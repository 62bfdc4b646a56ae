// Tables: the triangle as a heat map, broken rules, and the figures behind a chart.
import type { ComponentChildren } from "preact";
import { factor, figures, percent, whole } from "./figures";

export interface Column { name: string; text?: boolean }

export function Figures({ columns, rows, label }: { columns: Column[]; rows: ComponentChildren[][]; label: string }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead><tr>{columns.map(({ name, text }) => <th scope="col" class={text ? "" : "number"}>{name}</th>)}</tr></thead>
        <tbody>
          {rows.map(([first, ...others]) => (
            <tr>
              <th scope="row">{first}</th>
              {others.map((cell, place) => <td class={columns[place + 1].text ? "" : "number"}>{cell}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Triangle() {
  const ages = [...new Set(figures.triangle.map((each) => each.age))].sort((a, b) => a - b);
  const cells = new Map(figures.triangle.map((each) => [`${each.year}/${each.age}`, each.cumulative]));
  const factors = new Map(figures.factors.map((each) => [each.age, each.factor]));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Triangle of incurred claims">
      <table class="triangle">
        <thead>
          <tr><th scope="col">Accident year</th>{ages.map((age) => <th scope="col" class="number">{age} months</th>)}
            <th scope="col" class="number">Ultimate</th><th scope="col" class="number">IBNR</th></tr>
        </thead>
        <tbody>
          {figures.ultimates.map(({ year, ultimate, ibnr }) => (
            <tr>
              <th scope="row">{year}</th>
              {ages.map((age) => <Cell value={cells.get(`${year}/${age}`)} ultimate={ultimate} />)}
              <td class="number">{whole(ultimate)}</td><td class="number"><b>{whole(ibnr)}</b></td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr><th scope="row">Selected factor, total</th>{ages.map((age) => <td class="number">{factors.has(age) ? factor(factors.get(age) ?? null) : ""}</td>)}
            <td class="number">{whole(sum(figures.ultimates.map((each) => each.ultimate ?? 0)))}</td>
            <td class="number"><b>{whole(sum(figures.ultimates.map((each) => each.ibnr ?? 0)))}</b></td></tr>
        </tfoot>
      </table>
    </div>
  );
}

// The stronger its colour, the nearer to the ultimate.
function Cell({ value, ultimate }: { value: number | undefined; ultimate: number | null }) {
  if (value === undefined) return <td />;
  const share = ultimate ? Math.max(0, Math.min(1, value / ultimate)) : 0;
  const title = ultimate ? `${percent(value / ultimate)} of the ultimate` : undefined;
  return <td class="number cell" title={title} style={{ "--share": `${Math.round(55 * share)}%` }}>{whole(value)}</td>;
}

export const broken = figures.quality.filter((each) => each.failed > 0);

export function Quality() {
  const columns = [{ name: "Rule", text: true }, { name: "Table", text: true }, { name: "Action", text: true }, { name: "Failed" }, { name: "Of rows" }, { name: "Amount at stake" }];
  if (!broken.length) return null;
  return (
    <Figures
      columns={columns} label="Broken rules"
      rows={broken.map((each) => [each.rule, each.table, each.action, whole(each.failed), whole(each.passed + each.failed), whole(each.amount)])}
    />
  );
}

export function checkedTables(): ComponentChildren[][] {
  return [...new Set(figures.quality.map((each) => each.table))].sort().map((table) => {
    const rules = figures.quality.filter((each) => each.table === table);
    return [table, rules.length, whole(sum(rules.map((each) => each.passed))), whole(sum(rules.map((each) => each.failed)))];
  });
}

export const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
