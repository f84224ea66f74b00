import { createRoot } from "react-dom/client";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/frame.css";
import "./styles/print.css";
import { App } from "./App";
import { live } from "./api/live";
import { seriesStore } from "./api/series";
import { loadLanguage, preferredLanguage } from "./i18n";
import { readStored } from "./ui/hooks";
import { startKeySequences } from "./ui/keys";
import { startPrinting } from "./ui/printing";
import { startRouter } from "./ui/router";

async function start(): Promise<void> {
  startRouter();
  startKeySequences();
  startPrinting();
  await loadLanguage(preferredLanguage(readStored("logbuch.lang"), navigator.languages));
  live.onChanges((runs) => seriesStore.markChanged(runs.map((run) => run.run_id)));
  live.onComeback(() => seriesStore.retryFailed());
  live.start(document.querySelector<HTMLMetaElement>("meta[name=logbuch-cursor]")?.content);
  createRoot(document.getElementById("root")!).render(<App />);
}

void start();
