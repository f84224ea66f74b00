import { keyNames, t } from "../i18n";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";

type Line = [keys: string, what: string];

const groups = (): [title: string, lines: Line[]][] => [
  [t.keysEverywhere, [["Ctrl K", t.keyPalette], ["G H", t.keyGoHome], ["G E", t.keyGoExperiments], ["G C", t.keyGoCompare], ["G M", t.keyGoModels], ["G S", t.keyGoSettings], ["[", t.keyRail], ["P", t.keyPause], ["Esc", t.keyEsc], ["?", t.keyHelp]]],
  [t.runsHead, [["F", t.keyFilter], ["J K ↓ ↑", t.keyMove], ["Enter", t.keyOpen], ["X", t.keySelect], ["Space", t.keyDraw], ["B", t.keyBaseline], ["C", t.keyCompare], ["D", t.keyDiff], ["O", t.keyColumns], ["U", t.keyGroup], ["V", t.keyViews], ["← →", t.keyCell], ["=", t.keyCellMenu], ["Ctrl Z", t.keyUndo], ["1 2 3", t.keyLayout]]],
  [t.curves, [["S", t.keySmooth], ["← →", t.keyCrosshair], ["L", t.keyLog], ["T", t.keyPin]]],
  [t.run, [["J K", t.keyNeighbour], ["Y", t.keyCopyCommand]]],
];

/** Every key, by where it works. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t.keys} onClose={onClose} wide>
      {groups().map(([title, lines]) => (
        <section key={title}>
          <h3 className="keys-h">{title}</h3>
          <dl className="keys">
            {lines.map(([keys, what]) => (
              <div key={keys}>
                <dt>{keyNames(keys).map((k) => <kbd key={k}>{k}</kbd>)}</dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      <p className="muted">{t.keyZoom}</p>
      <div className="dialog-end"><Button onClick={onClose}>{t.close}</Button></div>
    </Dialog>
  );
}
