// The page: the headline figures, then each picture with the figures behind it.
import { render, type ComponentChildren } from "preact";
import * as charts from "./charts";
import { figures, named, percent, whole } from "./figures";
import { broken, checkedTables, Figures, Quality, sum, Triangle, type Column } from "./tables";

const SMALLEST = 860; // pixels; a chart on a narrower screen scrolls
const SMALLEST_HALF = 420;
const ALL = figures.claims.filter((each) => each.line === "ALL");

interface Picture { title: string; says: string; draw?: (width: number) => SVGElement | HTMLElement; columns?: Column[]; rows?: ComponentChildren[][]; children?: ComponentChildren; half?: boolean }

function Picture({ title, says, draw, columns, rows, children, half }: Picture) {
  const show = (place: HTMLElement | null): void => {
    if (!place || !draw) return;
    const chart = draw(Math.max(half ? SMALLEST_HALF : SMALLEST, place.clientWidth));
    // One image with one sentence; the figures below it are for those who cannot see it.
    for (const part of chart.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
    chart.setAttribute("role", "img");
    chart.setAttribute("aria-label", `${title}. ${says}`);
    place.replaceChildren(chart);
  };
  return (
    <figure class={half ? "half" : ""}>
      <figcaption><h2>{title}</h2><p>{says}</p></figcaption>
      {draw && <div class="scroll" tabIndex={0} role="region" aria-label={`Chart: ${title}`} ref={show} />}
      {children}
      {columns && rows && <details><summary>Figures</summary><Figures columns={columns} rows={rows} label={`Figures: ${title}`} /></details>}
    </figure>
  );
}

function Headline() {
  const now = ALL[ALL.length - 1];
  const before = ALL[ALL.length - 2];
  const inForce = figures.movement[figures.movement.length - 1];
  if (!now || !inForce) return null;
  const ibnr = sum(figures.ultimates.map((each) => each.ibnr ?? 0));
  const tiles = [
    ["Policies in force", whole(inForce.closing), `${whole(inForce.premium)} annual premium`],
    [`Earned premium ${now.year}`, whole(now.earned), before ? `${whole(before.earned)} in ${before.year}` : ""],
    [`Loss ratio ${now.year}`, percent(now.loss_ratio), before ? `${percent(before.loss_ratio)} in ${before.year}` : ""],
    ["Open claims", whole(sum(ALL.map((each) => each.open))), `of ${whole(sum(ALL.map((each) => each.reported)))} reported`],
    ["IBNR", whole(ibnr), "incurred but not reported, all lines"],
  ];
  return <dl class="tiles">{tiles.map(([name, value, note]) => <div><dt>{name}</dt><dd><b>{value}</b> <span>{note}</span></dd></div>)}</dl>;
}

const numbers = (...names: string[]): Column[] => names.map((name) => ({ name }));
const lines = figures.claims.map((each) => [`${named(each.line)} ${each.year}`, whole(each.earned), whole(each.incurred), whole(each.reported), percent(each.loss_ratio)]);
const checks = sum(figures.quality.map((each) => each.passed + each.failed));

function Page() {
  return (
    <main>
      <header><h1>The insurer in pictures</h1><p>As at {figures.valuation[0]?.day ?? "–"}, from the gold tables. Amounts are in the reporting currency.</p></header>
      <Headline />
      <Picture
        title="Written premium" says="By line and calendar year." draw={charts.premium}
        columns={[{ name: "Line and year", text: true }, { name: "Written" }]} rows={figures.premium.map((each) => [`${named(each.line)} ${each.year}`, whole(each.written)])}
      />
      <Picture
        title="Loss ratio" says="Incurred claims over earned premium by line and accident year; the dashed line is 100 %." draw={charts.lossRatio}
        columns={[{ name: "Line and year", text: true }, ...numbers("Earned", "Incurred", "Claims", "Loss ratio")]} rows={lines}
      />
      <Picture title="Claims development" says="Incurred claims of all lines by accident year and age; the stronger its colour, the nearer a cell to the ultimate."><Triangle /></Picture>
      <Picture
        title="Policies in force" says="How the policies in force at the start of a year became those at its end." draw={charts.movement}
        columns={[{ name: "Year", text: true }, ...numbers("Opening", "New", "Reinstated", "Cancelled", "Lapsed", "Surrendered", "Death, maturity", "Closing")]}
        rows={figures.movement.map((each) => [each.year, each.opening, each.new, each.reinstated, each.cancelled, each.lapsed, each.surrendered, each.claims, each.closing])}
      />
      <div class="pair">
        <Picture
          half title="Retention" says="Share of expiring policies, and of their premium, that was renewed; months with at least 10 policies." draw={charts.retention}
          columns={[{ name: "Month", text: true }, ...numbers("Expiring", "Renewed", "Policies", "Premium")]}
          rows={figures.retention.map((each) => [each.month.slice(0, 7), each.expiring, each.renewed, percent(each.renewal_ratio), percent(each.premium_retention)])}
        />
        <Picture
          half title="Fraud scores" says="Claims by score; the band decides who looks at them." draw={charts.fraud}
          columns={[{ name: "Score", text: true }, { name: "Band", text: true }, { name: "Claims" }]} rows={figures.fraud.map((each) => [each.score, each.band.toLowerCase(), each.claims])}
        />
      </div>
      <Picture
        title="Data quality" says={`${figures.quality.length} rules, ${whole(checks)} checks of rows; ${broken.length ? `rows broke ${broken.length} of the rules` : "no row broke a rule"}.`}
        columns={[{ name: "Table", text: true }, ...numbers("Rules", "Passed", "Failed")]} rows={checkedTables()}
      >
        <Quality />
      </Picture>
    </main>
  );
}

render(<Page />, document.getElementById("app") as HTMLElement);
