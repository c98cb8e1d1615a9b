// Texts of models and judges, shown for reading. They only ever become text nodes: Markdown is
// turned into elements by hand, no markup of a text reaches the page, and no link of it is live.

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const INLINE = new RegExp([
  /(`+)(?!`)([^\n]{1,2000}?)(?<!`)\1(?!`)/.source, // code
  /(\*\*|__)(?=\S)([^\n]{1,2000}?\S|\S)\3/.source, // strong
  /(?<![\w*])([*_])(?=[^\s*_])([^\n*_]{1,1000}?)(?<=\S)\5(?![\w*])/.source, // emphasis
  /~~(?=\S)([^\n]{1,1000}?)~~/.source, // struck out
  /(!?)\[([^\[\]\n]{0,500})\]\(([^()\s]{1,2000})\)/.source, // link or image
  /\\([!-\/:-@\[-`{-~])/.source, // a character that means itself
].join("|"), "g");

function inline(text, depth = 0) {
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    parts.push(text.slice(at, found.index));
    at = found.index + found[0].length;
    const inner = (held) => (depth < 4 ? inline(held, depth + 1) : [held]);
    if (found[1]) parts.push(element("code", {}, found[2].replace(/^ (.*\S.*) $/, "$1")));
    else if (found[3]) parts.push(element("strong", {}, ...inner(found[4])));
    else if (found[5]) parts.push(element("em", {}, ...inner(found[6])));
    else if (found[7]) parts.push(element("s", {}, ...inner(found[7])));
    else if (found[10]) {
      parts.push(...(found[8] ? ["image: "] : []), ...inner(found[9]),
        element("span", { class: "faint" }, ` (${found[10]})`));
    } else parts.push(found[11]);
  }
  parts.push(text.slice(at));
  return parts.filter((part) => part !== "");
}

/** Lines of one paragraph: an answer's own line breaks stay. */
function broken(lines) {
  return lines.flatMap((line, number) => [...(number ? [element("br")] : []), ...inline(line.trim())]);
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]{0,30})/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}> ?/;
const BETWEEN = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

function cells(line) {
  const bare = line.trim().replace(/^\|/, "").replace(/\|$/, "");
  return bare.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

const startsBlock = (line) => [FENCE, ITEM, HEADING, RULE, QUOTE].some((rule) => rule.test(line));

function codeBlock(lines, at) {
  const [, mark, language] = FENCE.exec(lines[at]);
  const closes = (line) => line.trim().startsWith(mark) && /^[`~]+$/.test(line.trim());
  let end = at + 1;
  while (end < lines.length && !closes(lines[end])) end += 1;
  const code = element("code", {}, lines.slice(at + 1, end).join("\n"));
  const block = element("pre", { tabindex: "0", role: "group", "aria-label": `code ${language}`.trim() },
    code);
  return [block, end + 1];
}

function list(lines, at, depth) {
  const [, indent, mark] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(mark);
  const made = element(ordered ? "ol" : "ul", ordered ? { start: parseInt(mark, 10) } : {});
  while (at < lines.length) {
    const item = ITEM.exec(lines[at]);
    if (!item || item[1].length !== indent.length || /\d/.test(item[2]) !== ordered) break;
    const inside = indent.length + item[2].length + 1;
    const held = [item[3]];
    at += 1;
    while (at < lines.length) {
      const leads = lines[at].search(/\S/);
      const next = lines[at + 1] ?? "";
      if (leads === -1 && next.search(/\S/) < Math.min(inside, 2)) break;
      if (leads !== -1 && leads <= indent.length && (startsBlock(lines[at]) || !held.at(-1).trim())) break;
      held.push(leads === -1 ? "" : lines[at].slice(Math.min(leads, inside)));
      at += 1;
    }
    made.append(element("li", {}, ...blocks(held, depth + 1)));
    while (at < lines.length && !lines[at].trim() && ITEM.test(lines[at + 1] ?? "")) at += 1;
  }
  return [made, at];
}

function table(lines, at) {
  const head = cells(lines[at]).map((cell) => element("th", { scope: "col" }, ...inline(cell)));
  const rows = [];
  for (at += 2; at < lines.length && lines[at].includes("|"); at += 1) {
    rows.push(element("tr", {}, ...cells(lines[at]).map((cell) => element("td", {}, ...inline(cell)))));
  }
  return [element("table", {}, element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...rows)), at];
}

function blocks(lines, depth = 0) {
  const made = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const heading = HEADING.exec(line);
    if (!line.trim()) at += 1;
    else if (FENCE.test(line)) {
      const [block, next] = codeBlock(lines, at);
      made.push(block);
      at = next;
    } else if (heading) {
      made.push(element("p", { class: `heading heading-${heading[1].length}` }, ...inline(heading[2])));
      at += 1;
    } else if (RULE.test(line)) {
      made.push(element("hr"));
      at += 1;
    } else if (ITEM.test(line) && depth < 8) {
      const [block, next] = list(lines, at, depth);
      made.push(block);
      at = next;
    } else if (QUOTE.test(line) && depth < 8) {
      let end = at;
      while (end < lines.length && QUOTE.test(lines[end])) end += 1;
      const held = lines.slice(at, end).map((quoted) => quoted.replace(QUOTE, ""));
      made.push(element("blockquote", {}, ...blocks(held, depth + 1)));
      at = end;
    } else if (line.includes("|") && BETWEEN.test(lines[at + 1] ?? "") && lines[at + 1].includes("-")) {
      const [block, next] = table(lines, at);
      made.push(block);
      at = next;
    } else {
      let end = at + 1;
      while (end < lines.length && lines[end].trim() && !startsBlock(lines[end])) end += 1;
      made.push(element("p", {}, ...broken(lines.slice(at, end))));
      at = end;
    }
  }
  return made;
}

/** Markdown as elements. */
function markdown(text) {
  return blocks(text.replaceAll("\r\n", "\n").replaceAll("\t", "    ").split("\n"));
}
