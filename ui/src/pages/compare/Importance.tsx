import { ENOUGH_RUNS, type Effect, type Importance as Answer } from "../../api/answers";
import { formatValue } from "../../model/format";
import { locale, t } from "../../i18n";
import { SkeletonRows } from "../../ui/States";

const percent = (share: number) => `${Math.round(share * 100)} %`;

function signed(correlation: number): string {
  const rounded = Math.round(correlation * 100) / 100;
  return `${rounded > 0 ? "+" : ""}${formatValue(rounded, { fraction: 2 }, locale)}`;
}

/** Why there are no shares; null where there are. */
function nothing({ runs, effects, explained }: Answer): string | null {
  if (explained !== null) return explained > 0 ? null : t.nothingExplains;
  return runs < ENOUGH_RUNS ? t.tooFewMovers(runs, ENOUGH_RUNS) : effects.length ? t.oneValue : t.nothingVaries;
}

function Line({ effect, told }: { effect: Effect; told: boolean }) {
  const { key, share, error, correlation } = effect;
  return (
    <tr>
      <td className="l ell" title={key}>{key}</td>
      <td className="l"><span className="bartrack"><i style={{ width: told ? `${share * 100}%` : 0 }} /></span></td>
      <td className="num" title={told ? `${percent(share)} ± ${percent(error)}` : undefined}>{told ? percent(share) : "–"}</td>
      <td className="num">{correlation === null ? <span className="muted">–</span> : signed(correlation)}</td>
    </tr>
  );
}

/** How much of the metric's spread each parameter explains, and in which direction it goes; where that cannot be told, why. */
export function Importance({ answer, most }: { answer: Answer | null | undefined; most: number }) {
  if (answer === undefined) return <SkeletonRows rows={4} />;
  const why = answer === null ? t.noValues : nothing(answer);
  return (
    <div data-testid="importance">
      {why !== null && <p className="muted none">{why}</p>}
      {answer !== null && answer.effects.length > 0 && (
        <table className="plain movers">
          <thead><tr><th className="l">{t.parameters}</th><th className="l wide">{t.importance}</th><th><span className="vh">%</span></th><th>{t.correlation}</th></tr></thead>
          <tbody>{answer.effects.slice(0, most).map((effect) => <Line key={effect.key} effect={effect} told={why === null} />)}</tbody>
        </table>
      )}
    </div>
  );
}

/** Of how many runs the answer is, and how much of the spread all parameters explain together. */
export function importanceAbout(answer: Answer | null | undefined): string {
  if (!answer) return "";
  return answer.explained !== null && answer.explained > 0 ? `${t.runs(answer.runs)}, ${t.allExplain(percent(answer.explained))}` : t.runs(answer.runs);
}
