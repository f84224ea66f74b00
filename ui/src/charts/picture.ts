import { locale } from "../i18n";
import type { BodyProps } from "./ChartCard";
import { marksOf } from "./marks";
import { chartSvg } from "./svg";
import { palette } from "./theme";
import type { Chart } from "./useChart";

/** A chart as it is drawn now, as an SVG document. */
export function picture(chart: Chart, { spec, view, marks = [] }: BodyProps, size: { width: number; height: number }): string {
  return chartSvg({
    ...size, title: spec.title, curves: chart.curves, marks: marksOf(marks, spec.keys, view.x), lead: chart.emphasis.lead, x: chart.span, y: chart.y.span, xAxis: view.x, logX: chart.logX, logY: chart.logY,
    percent: /percent(age)?$/i.test(spec.keys[0]!), palette: palette().get(), locale, nanLabel: (kind) => kind,
  });
}
