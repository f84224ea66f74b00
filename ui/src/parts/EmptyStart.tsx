import { t } from "../i18n";
import { CopyButton } from "../ui/CopyButton";
import { Logo } from "../ui/Icon";
import { LiveState } from "./Top";

/** The lines of code that make the first run; the experiment's own name when there is one. */
export function firstLines(name: string): string {
  return `import logbuch\n\nlogbuch.set_experiment(${JSON.stringify(name)})\nwith logbuch.start_run():\n    logbuch.log_metric("loss", 0.5, step=1)`;
}

export function EmptyStart({ name = "my-first" }: { name?: string }) {
  const code = firstLines(name);
  return (
    <section className="card start" data-testid="empty-start">
      <Logo />
      <h2>{t.noRunsYet}</h2>
      <p>{t.pasteThis}</p>
      <div className="code"><pre>{code}</pre><CopyButton text={code} /></div>
      <p className="row"><span className="muted">{t.listening(location.host)}</span><LiveState waiting /></p>
    </section>
  );
}
