import "../styles/charts.css";
import { useRef } from "react";
import { locale, t } from "../i18n";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { useKeys } from "../ui/keys";
import { MenuButton, type MenuEntry } from "../ui/Menu";
import type { Band, BoardView, XAxis } from "../url/board";
import { SmoothingSlider } from "./SmoothingSlider";

interface ChartBarProps {
  count: number;
  view: BoardView;
  keys: readonly string[];
  grouped: boolean;
  change: (part: Partial<BoardView>) => void;
  onNew: () => void;
}

/** Metrics that count how far a training is; the likeliest x-axes. */
const PROGRESS = /(^|[/_.])(epochs?|tokens?(_seen)?|num_tokens|samples(_seen)?|num_samples|examples(_seen)?|global_step|iterations?|wall_?time|flops)$/i;
const MOST_AXES = 12;

export const axisName = (x: XAxis): string => (x === "step" ? t.xStep : x === "time" ? t.xTime : x === "relative" ? t.xRelative : x.slice(8));

/** The metrics offered as x-axis: those that count progress first. */
function axisKeys(keys: readonly string[]): string[] {
  return [...keys.filter((k) => PROGRESS.test(k)), ...keys.filter((k) => !PROGRESS.test(k) && !k.startsWith("system/"))].slice(0, MOST_AXES);
}

/** Search, smoothing and x-axis for all charts of a page. */
export function ChartBar({ count, view, keys, grouped, change, onNew }: ChartBarProps) {
  const bar = useRef<HTMLDivElement>(null);
  useKeys({ s: () => bar.current?.querySelector<HTMLElement>("input[type=range]")?.focus() });
  const axes = (): MenuEntry[] => {
    const entry = (x: XAxis): MenuEntry => ({ label: axisName(x), checked: x === view.x, onSelect: () => change({ x, zoom: null }) });
    const metrics = axisKeys(keys);
    if (view.x.startsWith("metrics.") && !metrics.includes(view.x.slice(8))) metrics.unshift(view.x.slice(8));
    return [entry("step"), entry("time"), entry("relative"), ...(metrics.length && !grouped ? ["line" as const, ...metrics.map((k) => entry(`metrics.${k}`))] : [])];
  };
  const bands = (): MenuEntry[] => (["std", "stderr", "ci"] as const).map((band: Band) => ({ label: t.bandOf[band], checked: band === view.band, onSelect: () => change({ band }) }));
  return (
    <div className="cbar" ref={bar}>
      <label className="search">
        <Icon name="search" small />
        <input value={view.charts} placeholder={t.nCharts(count)} aria-label={t.searchCharts} title={t.searchHint} spellCheck={false} data-testid="chart-search" onChange={(e) => change({ charts: e.target.value })}
          onKeyDown={(e) => { if (e.key === "Escape") change({ charts: "" }); }} />
      </label>
      {view.charts !== "" && <span className="muted num hide-s">{count.toLocaleString(locale)}</span>}
      <span className="grow" />
      {view.zoom && <Button look="ghost" icon="undo" onClick={() => change({ zoom: null })}>{t.resetZoom}</Button>}
      {grouped && <MenuButton look="ghost" label={t.band} entries={bands}>{t.bandOf[view.band]} <Icon name="down" small /></MenuButton>}
      {!grouped && <SmoothingSlider value={view.smooth} onChange={(smooth) => change({ smooth })} />}
      <MenuButton look="ghost" label={t.xAxis} aria-label={`${t.xAxis}: ${axisName(view.x)}`} entries={axes}>
        <span className="ell axisname">{axisName(view.x)}</span> <Icon name="down" small />
      </MenuButton>
      <Button look="ghost" icon="plus" aria-label={t.newChart} onClick={onNew} />
    </div>
  );
}
