import { useState, type RefObject } from "react";
import { t } from "../i18n";
import { lazily } from "../ui/lazily";
import { MenuButton, type MenuEntry } from "../ui/Menu";
import { ownKey, withOption, type ChartOptions } from "../url/board";
import type { BodyProps } from "./ChartCard";
import { picture } from "./picture";
import { saveCsv, savePng, saveSvg } from "./save";
import { palette } from "./theme";
import { xTitle, type Chart } from "./useChart";

const ChartSettings = lazily(async () => (await import("./ChartSettings")).ChartSettings);
const ChartTable = lazily(async () => (await import("./ChartTable")).ChartTable);

interface Props {
  chart: Chart;
  props: BodyProps;
  options: ChartOptions;
  canvas: RefObject<HTMLCanvasElement | null>;
  lower: boolean;
  onOption: (part: ChartOptions) => void;
}

const SVG = { width: 800, height: 420 };

/** What can be done with one chart: its scales, range and smoothing, and saving it. */
export function ChartMenu({ chart, props, options, canvas, lower, onOption }: Props) {
  const { spec, view, change, onEdit } = props;
  const [open, setOpen] = useState<"settings" | "table" | null>(null);
  const { own } = spec;
  const changed = Object.keys(options).length > 0;
  const remove = () => own && change({ own: view.own.filter((c) => c !== own), ...withOption(view, ownKey(own), { logY: undefined, logX: undefined, full: undefined, range: undefined, smooth: undefined }) });
  const entries = (): MenuEntry[] => [
    { label: t.logY, checked: chart.logY, hint: "L", onSelect: () => onOption({ logY: !chart.logY }) },
    ...(view.x === "time" ? [] : [{ label: t.logX, checked: chart.logX, onSelect: () => onOption({ logX: !chart.logX }) }]),
    { label: t.showAll, checked: options.full ?? false, onSelect: () => onOption({ full: !options.full, range: undefined }) },
    { label: t.chartSettings, icon: "gear", onSelect: () => setOpen("settings") },
    ...(changed ? [{ label: t.resetChart, icon: "undo" as const, onSelect: () => onOption({ logY: undefined, logX: undefined, full: undefined, range: undefined, smooth: undefined }) }] : []),
    ...(view.zoom ? [{ label: t.resetZoom, icon: "undo" as const, onSelect: () => change({ zoom: null }) }] : []),
    "line",
    ...(own && onEdit ? [{ label: t.editChart, icon: "pencil" as const, onSelect: onEdit }, { label: t.removeChart, icon: "trash" as const, onSelect: remove }, "line" as const] : []),
    { label: t.showAsTable, icon: "table", onSelect: () => setOpen("table") },
    { label: t.savePng, icon: "download", onSelect: () => canvas.current && savePng(canvas.current, palette().get().surface, spec.title) },
    { label: t.saveSvg, icon: "download", onSelect: () => saveSvg(picture(chart, props, SVG), spec.title) },
    { label: t.saveCsv, icon: "download", onSelect: () => saveCsv(chart.curves, spec.title) },
  ];
  return (
    <>
      <MenuButton look="ghost" className={`tiny${changed ? " changed" : ""}`} icon="more" label={changed ? `${t.chartMenu(spec.title)}, ${t.changedSettings}` : t.chartMenu(spec.title)} entries={entries} />
      {open === "settings" && <ChartSettings title={spec.title} options={options} shown={chart.y.span} boardSmooth={view.smooth} timeAxis={view.x === "time"} onOption={onOption} onClose={() => setOpen(null)} />}
      {open === "table" && <ChartTable title={spec.title} curves={chart.curves} lower={lower} xName={(x) => xTitle(view.x, x)} onClose={() => setOpen(null)} />}
    </>
  );
}
