import { useMemo } from "react";
import { renderMarkdown } from "./markdown";

/** A text in Markdown; raw HTML in it stays text. */
export default function Markdown({ text }: { text: string }) {
  const html = useMemo(() => ({ __html: renderMarkdown(text) }), [text]);
  // eslint-disable-next-line no-restricted-syntax -- rendered with html: false, see markdown.ts and its test
  return <div className="md" dangerouslySetInnerHTML={html} />;
}
