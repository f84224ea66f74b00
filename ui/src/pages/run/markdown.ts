import MarkdownIt from "markdown-it";

/** Markdown without raw HTML; markdown-it itself refuses javascript:, vbscript:, file: and most data: links. */
const md = new MarkdownIt({ html: false, linkify: true, typographer: false });

md.renderer.rules["link_open"] = (tokens, index, options, _env, self) => {
  tokens[index]!.attrSet("rel", "noopener noreferrer nofollow");
  tokens[index]!.attrSet("target", "_blank");
  return self.renderToken(tokens, index, options);
};
// A picture from elsewhere would tell another server that somebody reads this page.
md.renderer.rules["image"] = (tokens, index) => md.utils.escapeHtml(tokens[index]!.content);

export const renderMarkdown = (text: string) => md.render(text);
