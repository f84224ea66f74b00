import { useMemo } from "react";
import { t } from "../../../i18n";
import { readConfusion, readCurves, readHistogram } from "../../../model/media";
import { ConfusionView } from "./ConfusionView";
import { CurveView } from "./CurveView";
import { HistogramView } from "./HistogramView";

const read = (text: string, step: number) => ({ confusion: readConfusion(text), curves: readCurves(text), histogram: readHistogram(text, step) });

/** True for a JSON text that is a matrix, a curve or a histogram of ours. */
export const isDrawn = (text: string) => Object.values(read(text, 0)).some((found) => found !== null);

/** A matrix, a curve or a histogram, from the text of its file. */
export function FileView({ text, name, step, tall }: { text: string; name: string; step: number; tall: boolean }) {
  const { confusion, curves, histogram } = useMemo(() => read(text, step), [text, step]);
  if (confusion) return <ConfusionView found={confusion} tall={tall} />;
  if (curves) return <CurveView found={curves} tall={tall} />;
  if (histogram) return <HistogramView name={name} histograms={[histogram]} at={0} tall={tall} />;
  return <p className="note">{t.notThisFormat}</p>;
}
