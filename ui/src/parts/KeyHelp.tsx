import { t } from "../i18n";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";

const lines = (): [keys: string, what: string][] => [
  ["F", t.keyFilter], ["J K ↓ ↑", t.keyMove], ["Enter", t.keyOpen], ["X", t.keySelect], ["Space", t.keyDraw], ["B", t.keyBaseline], ["C", t.keyCompare],
  ["D", t.keyDiff], ["O", t.keyColumns], ["U", t.keyGroup], ["V", t.keyViews], ["← →", t.keyCell], ["=", t.keyCellMenu], ["Ctrl Z", t.keyUndo], ["1 2 3", t.keyLayout], ["G H", t.keyGoHome], ["G E", t.keyGoExperiments], ["G M", t.keyGoModels], ["[", t.keyRail], ["Esc", t.keyEsc], ["?", t.keyHelp],
];

export function KeyHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t.keys} onClose={onClose} wide>
      <dl className="keys">
        {lines().map(([keys, what]) => (
          <div key={keys}>
            <dt>{keys.split(" ").map((k) => <kbd key={k}>{k}</kbd>)}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p className="muted">{t.keyZoom}</p>
      <div className="dialog-end"><Button onClick={onClose}>{t.close}</Button></div>
    </Dialog>
  );
}
