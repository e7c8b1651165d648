/* An answer as the panel shows it: where it stands, the passage with the query's words marked, date, links. */

const WORDS = 8; // of a passage's beginning, by which the browser finds its place on the page

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A list item; `root` is the address of the site. */
export function hit(found, root) {
  const places = [...new Set([found.title, ...found.heading])].filter(Boolean);
  const link = element("a", { class: "kb-meaning-to", href: address(found, root) },
    element("span", { class: "kb-meaning-where" }, places.join(" \u203a ")),
    ...found.parents.map((parent) => element("span", { class: "kb-meaning-parent" }, parent)),
    element("span", { class: "kb-meaning-text" }, ...marked(found.text, found.marks)));
  const about = element("p", { class: "kb-meaning-about" }, ...dates(found));
  const links = found.links.map((one) => element("li", {}, ...linked(one, root)));
  const rest = links.length ? [element("ul", { class: "kb-meaning-links", "aria-label": "Links in it" }, ...links)] : [];
  return element("li", {}, link, ...(about.childNodes.length ? [about] : []), ...rest);
}

/* The heading's anchor, and the passage's first words, which newer browsers scroll to. */
function address({ url, text }, root) {
  const to = new URL(url, root);
  const words = text.split("\n")[0].split(/\s+/u).filter(Boolean).slice(0, WORDS).join(" ");
  to.hash += `:~:text=${encodeURIComponent(words).replaceAll("-", "%2D")}`;
  return to.href;
}

function marked(text, marks) {
  const pieces = [];
  let last = 0;
  for (const [start, end] of marks) {
    pieces.push(text.slice(last, start), element("mark", {}, text.slice(start, end)));
    last = end;
  }
  return [...pieces, text.slice(last)];
}

function dates({ date, noted }) {
  const shown = date || noted;
  if (!shown) return [];
  const also = noted && noted !== shown ? ` (noted ${noted})` : "";
  return [element("time", { datetime: shown.split("/")[0] }, shown), also];
}

function linked({ href, name, standing }, root) {
  const link = element("a", { href: new URL(href, root).href }, name);
  if (!standing) return [link];
  return [link, " ", element("span", { class: `kb-standing kb-${standing}` }, standing)];
}
