// Every rule that was checked: what it does with a row that breaks it, and its counts in this and earlier updates.
import { count, lastPart } from "./model";
import { doc, matches, nodes, selected } from "./state";

const ACTIONS: Record<string, string> = { ALLOW: "warn", DROP: "drop row", FAIL: "fail update" };
const HEADINGS = ["Rule", "Failed", "Passed", "Dataset", "If broken", "Failed before (oldest first)"];

export const actionName = (action: string): string => ACTIONS[action] ?? action.toLowerCase();

function actionOf(dataset: string, name: string): string {
  const rules = doc.datasets.find((each) => each.name === dataset)?.rules ?? [];
  return actionName(rules.find((rule) => rule.name === name)?.action ?? "");
}

export function Rules() {
  const lines = nodes.filter((node) => matches.value.has(node.name)).flatMap((node) => node.rules);
  lines.sort((a, b) => b.failed - a.failed);
  if (!lines.length) return <p>No rule was checked in this update.</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Rules">
      <table>
        <thead><tr>{HEADINGS.map((each) => <th scope="col" class={/ed$/.test(each) ? "number" : ""}>{each}</th>)}</tr></thead>
        <tbody>
          {lines.map((rule) => (
            <tr>
              <th scope="row">{rule.failed ? "⚑ " : ""}{rule.name}</th>
              <td class={rule.failed ? "number bad" : "number zero"}>{count(rule.failed)}</td>
              <td class="number">{count(rule.passed)}</td>
              <td><button class="link" onClick={() => (selected.value = rule.dataset)}>{lastPart(rule.dataset)}</button></td>
              <td>{actionOf(rule.dataset, rule.name)}</td>
              <td>{doc.history.map((past) => past.failed_checks[`${rule.dataset}/${rule.name}`] ?? "–").join("  ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
