import { useState } from "react";
import type { RunDetail } from "../../api/runs";
import { ERROR_TAG, errorReason, LOST_TAG, lostRecords } from "../../model/problems";
import { t } from "../../i18n";
import { CopyButton } from "../../ui/CopyButton";
import { Glyph } from "../../ui/Glyph";
import { Icon } from "../../ui/Icon";

/** Why a run failed, the reason first and the traceback on demand, and how many records were lost. */
export function RunTroubles({ run }: { run: RunDetail }) {
  const [open, setOpen] = useState(false);
  const text = run.tags[ERROR_TAG];
  const reason = errorReason(text);
  const lost = lostRecords(run.tags[LOST_TAG]);
  return (
    <>
      {reason && (
        <section className="banner bad trouble" data-testid="run-error" aria-label={t.FAILED}>
          <div className="row"><Glyph name="FAILED" /><b className="grow reason">{reason}</b>
            <button type="button" className="linkish" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? t.hideTraceback : t.showTraceback}</button></div>
          {open && <div className="trace"><pre tabIndex={0}>{text}</pre><CopyButton text={text!} /></div>}
        </section>
      )}
      {lost !== null && <p className="banner warn" data-testid="run-lost"><Icon name="warn" small />{t.recordsLost(lost)}</p>}
    </>
  );
}
