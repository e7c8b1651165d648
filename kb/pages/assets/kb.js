/* The table of links: sorted and filtered. The graph: drawn, and walked with the arrow keys.
   Both stand as plain HTML without this script. */
(() => {
  "use strict";

  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  /* -- links ---------------------------------------------------------------- */

  const text = (row, column) => row.cells[column].textContent.trim();
  const sortKey = (row, column) => row.cells[column].dataset.sort ?? text(row, column).toLowerCase();

  function choice(label, values) {
    const select = element("select", {}, element("option", { value: "" }, "any"));
    for (const value of values) select.append(element("option", { value }, value));
    return element("label", { class: "kb-field" }, `${label} `, select);
  }

  /* So many rows are shown at once; a button shows as many again. */
  const ROWS = 600;

  function linksTable(table) {
    const body = table.tBodies[0];
    const total = Number(table.dataset.total) || body.rows.length;
    const columns = { kind: 1, host: 2, standing: 4 };
    const collator = new Intl.Collator(undefined, { numeric: true });
    let rows = [...body.rows], matching = rows, limit = ROWS, loading = null;
    /* A cell of standing may say more after the word. */
    const said = (row, column) => row.cells[column].querySelector(".kb-standing")?.textContent ?? text(row, column);
    const values = (column) => [...new Set(rows.map((row) => said(row, column)))].filter(Boolean).sort();

    const words = element("input", { type: "search", placeholder: "words", autocomplete: "off" });
    const host = element("input", { type: "search", list: "kb-hosts", placeholder: "any", autocomplete: "off" });
    const hosts = element("datalist", { id: "kb-hosts" });
    const kind = choice("Kind", []);
    const standing = choice("Standing", []);
    const told = element("output", { class: "kb-told", role: "status" });
    const more = element("button", { type: "button", class: "kb-next", hidden: "" }, "Show more");
    const form = element(
      "form",
      { class: "kb-filter", role: "search", "aria-label": "Filter the links" },
      element("label", { class: "kb-field" }, "Find ", words),
      kind,
      element("label", { class: "kb-field" }, "Host ", host, hosts),
      standing,
      told,
    );

    const offer = (where, found) => {
      const select = where.querySelector("select"), had = select.value;
      select.replaceChildren(element("option", { value: "" }, "any"), ...found.map((value) => element("option", { value }, value)));
      select.value = had;
    };
    const offerAll = () => {
      offer(kind, values(columns.kind));
      offer(standing, values(columns.standing));
      hosts.replaceChildren(...values(columns.host).map((value) => element("option", { value })));
    };

    const draw = () => {
      body.replaceChildren(...matching.slice(0, limit));
      more.hidden = matching.length <= limit;
    };
    const show = () => {
      const asked = words.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
      const wantedHost = host.value.trim().toLowerCase();
      const wantedKind = kind.querySelector("select").value;
      const wantedStanding = standing.querySelector("select").value;
      const filtered = asked.length || wantedHost || wantedKind || wantedStanding;
      matching = !filtered ? rows : rows.filter((row) => {
        if (wantedKind && text(row, columns.kind) !== wantedKind) return false;
        if (wantedStanding && said(row, columns.standing) !== wantedStanding) return false;
        if (wantedHost && !text(row, columns.host).includes(wantedHost)) return false;
        const all = (row.kbWords ??= row.textContent.toLowerCase());
        return asked.every((word) => all.includes(word));
      });
      limit = ROWS;
      draw();
      told.textContent = filtered ? `${matching.length} of ${total}` : "";
    };

    /* Of a long list this page holds a part: the others are fetched once, when they are asked for. */
    const parts = [...document.querySelectorAll(".kb-parts a")].map((link) => link.href);
    const gather = () => {
      if (rows.length >= total || !parts.length) return Promise.resolve();
      told.textContent = `Reading all ${total}\u2026`;
      return (loading ??= Promise.all(parts.map(async (address) => {
        const page = new DOMParser().parseFromString(await (await fetch(address)).text(), "text/html");
        return [...page.querySelectorAll("#kb-links-table tbody tr")].map((row) => document.importNode(row, true));
      })).then((found) => {
        rows = rows.concat(...found);
        document.querySelector(".kb-parts").hidden = true;
        offerAll();
      }, () => { loading = null; }));
    };
    const showAll = async () => { await gather(); show(); };
    form.addEventListener("focusin", () => { if (parts.length && !loading) showAll(); });
    form.addEventListener("input", showAll);
    form.addEventListener("submit", (event) => event.preventDefault());
    more.addEventListener("click", () => {
      const next = matching[limit];
      limit += ROWS;
      draw();
      next?.querySelector("a")?.focus();
    });

    [...table.tHead.rows[0].cells].forEach((cell, column) => {
      const button = element("button", { type: "button", class: "kb-sort" }, cell.textContent);
      cell.replaceChildren(button);
      button.addEventListener("click", async () => {
        const up = cell.getAttribute("aria-sort") !== "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", up ? "ascending" : "descending");
        await gather();
        const keyed = rows.map((row) => [sortKey(row, column), row]);
        keyed.sort((a, b) => (up ? 1 : -1) * collator.compare(a[0], b[0]));
        rows = keyed.map((pair) => pair[1]);
        show();
      });
    });
    offerAll();
    table.parentElement.before(form);
    table.parentElement.after(more);

    /* The address may ask for a part: links/#standing=dead */
    const asked = new URLSearchParams(location.hash.slice(1));
    const ask = (name, where) => {
      const select = where.querySelector("select");
      select.value = asked.get(name);
      if (select.value !== asked.get(name)) select.value = "";
    };
    const begin = () => {
      if (asked.get("kind")) ask("kind", kind);
      if (asked.get("standing")) ask("standing", standing);
      if (asked.get("host")) host.value = asked.get("host");
      show();
    };
    if (asked.get("kind") || asked.get("standing") || asked.get("host")) gather().then(begin);
    else draw();
  }

  /* -- graph ---------------------------------------------------------------- */

  const SVG = "http://www.w3.org/2000/svg";
  const svg = (tag, attributes = {}) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };

  /* Springs along the threads, charges between the knots, cooling from step to step. It begins on
     a spiral, so that the same notebook always looks the same. */
  function layOut(count, edges, degrees) {
    const spots = Array.from({ length: count }, (_, at) => {
      const radius = 16 * Math.sqrt(at + 0.5), angle = at * 2.399963;
      return { x: radius * Math.cos(angle), y: radius * Math.sin(angle), dx: 0, dy: 0 };
    });
    const steps = count > 150 ? 180 : 320;
    for (let step = 0; step < steps; step++) {
      const heat = 14 * (1 - step / steps) + 0.2;
      for (let one = 0; one < count; one++) {
        const a = spots[one];
        for (let other = one + 1; other < count; other++) {
          const b = spots[other];
          let x = a.x - b.x, y = a.y - b.y;
          const square = Math.max(x * x + y * y, 4);
          const push = 1100 / square;
          x *= push; y *= push;
          a.dx += x; a.dy += y; b.dx -= x; b.dy -= y;
        }
        a.dx -= a.x * 0.1; a.dy -= a.y * 0.14;
      }
      for (const [one, other] of edges) {
        const a = spots[one], b = spots[other];
        const x = b.x - a.x, y = b.y - a.y;
        const far = Math.hypot(x, y) || 1;
        const pull = ((far - 62) * 0.09) / far / Math.sqrt(Math.min(degrees[one], degrees[other]) || 1);
        a.dx += x * pull * 4; a.dy += y * pull * 4; b.dx -= x * pull * 4; b.dy -= y * pull * 4;
      }
      for (const spot of spots) {
        const far = Math.hypot(spot.dx, spot.dy) || 1;
        const move = Math.min(far, heat) / far;
        spot.x += spot.dx * move; spot.y += spot.dy * move;
        spot.dx = spot.dy = 0;
      }
    }
    return spots;
  }

  function graph(root) {
    const stage = root.querySelector("#kb-graph-stage");
    const links = [...root.querySelectorAll("[data-node]")].sort((a, b) => a.dataset.node - b.dataset.node);
    const edges = JSON.parse(root.dataset.edges);
    const near = links.map(() => new Set());
    for (const [one, other] of edges) { near[one].add(other); near[other].add(one); }
    const degrees = near.map((set) => set.size);
    const spots = layOut(links.length, edges, degrees);
    const pad = 60;
    const aside = Math.max(pad, (Math.max(...spots.map((spot) => spot.x)) - Math.min(...spots.map((spot) => spot.x))) * 0.14);
    const xs = spots.map((spot) => spot.x), ys = spots.map((spot) => spot.y);
    const box = {
      x: Math.min(...xs) - aside, y: Math.min(...ys) - pad,
      width: Math.max(...xs) - Math.min(...xs) + 2 * aside, height: Math.max(...ys) - Math.min(...ys) + 2 * pad,
    };

    const picture = svg("svg", { role: "application", tabindex: "0", "aria-describedby": "kb-graph-help",
      "aria-label": "Graph of notes, terms and links" });
    const threads = svg("g"), knots = svg("g");
    const lines = edges.map(([one, other]) => {
      const line = svg("line", { x1: spots[one].x, y1: spots[one].y, x2: spots[other].x, y2: spots[other].y });
      threads.append(line);
      return line;
    });
    const many = links.length > 60 || stage.clientWidth < 500;
    const circles = links.map((link, at) => {
      const group = svg("g", { class: `kb-knot kb-knot-${link.dataset.kind}`,
        "data-at": `translate(${spots[at].x.toFixed(1)} ${spots[at].y.toFixed(1)})` });
      const size = 4 + Math.min(7, Math.sqrt(degrees[at]) * 1.6);
      group.append(link.dataset.kind === "term"
        ? svg("rect", { x: -size, y: -size, width: 2 * size, height: 2 * size, transform: "rotate(45)" })
        : svg("circle", { r: size }));
      const label = svg("text", { y: -size - 5, "text-anchor": "middle" });
      const name = link.textContent.trim();
      label.textContent = name.length > 28 ? `${name.slice(0, 27)}\u2026` : name;
      if (many ? degrees[at] < 5 : link.dataset.kind === "link") group.classList.add("kb-knot-quiet");
      group.append(label);
      knots.append(group);
      return group;
    });
    picture.append(threads, knots);

    const told = element("p", { class: "kb-graph-told", role: "status" });
    const help = element("p", { class: "kb-graph-help", id: "kb-graph-help" },
      "Arrow keys walk from node to node, Enter opens, plus and minus zoom, Escape lets go. Or pick from the list.");
    const button = (label, name, act) => {
      const made = element("button", { type: "button", "aria-label": name }, label);
      made.addEventListener("click", act);
      return made;
    };

    let view = { ...box }, chosen = -1;
    /* Nodes and their names stay the same size on the screen, however far away the picture is. */
    const look = () => {
      picture.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
      const { clientWidth: across, clientHeight: down } = picture;
      const unit = across ? Math.max(view.width / across, view.height / down) : 1;
      for (const circle of circles) circle.setAttribute("transform", `${circle.dataset.at} scale(${unit.toFixed(3)})`);
    };
    const zoom = (by, x = view.x + view.width / 2, y = view.y + view.height / 2) => {
      const width = Math.min(box.width * 1.5, Math.max(120, view.width * by)), share = width / view.width;
      view = { x: x - (x - view.x) * share, y: y - (y - view.y) * share, width, height: view.height * share };
      look();
    };
    const choose = (at, { scroll = true } = {}) => {
      chosen = at;
      root.classList.toggle("kb-graph-chosen", at >= 0);
      circles.forEach((circle, other) => {
        circle.classList.toggle("kb-knot-on", other === at);
        circle.classList.toggle("kb-knot-near", at >= 0 && near[at].has(other));
      });
      lines.forEach((line, edge) => line.classList.toggle("kb-thread-on", edges[edge].includes(at)));
      links.forEach((link, other) => link.classList.toggle("kb-chosen", other === at));
      if (at < 0) { told.textContent = ""; return; }
      const link = links[at];
      told.textContent = `${link.dataset.kind}: ${link.textContent.trim()}, ${degrees[at]} ${degrees[at] === 1 ? "tie" : "ties"}`;
      const spot = spots[at];
      const inside = spot.x > view.x && spot.x < view.x + view.width && spot.y > view.y && spot.y < view.y + view.height;
      if (!inside) { view.x = spot.x - view.width / 2; view.y = spot.y - view.height / 2; look(); }
      const list = root.querySelector("#kb-graph-list");
      if (scroll) list.scrollTop = link.offsetTop - list.offsetTop - list.clientHeight / 2;
    };
    /* The knot that lies best in that direction: near, and not far off to the side. */
    const step = (x, y) => {
      if (chosen < 0) { choose(degrees.indexOf(Math.max(...degrees))); return; }
      let best = -1, least = Infinity;
      spots.forEach((spot, at) => {
        const along = (spot.x - spots[chosen].x) * x + (spot.y - spots[chosen].y) * y;
        const aside = Math.abs((spot.x - spots[chosen].x) * y - (spot.y - spots[chosen].y) * x);
        const cost = along + 2 * aside;
        if (at !== chosen && along > 1 && cost < least) { least = cost; best = at; }
      });
      if (best >= 0) choose(best);
    };
    picture.addEventListener("keydown", (event) => {
      const keys = {
        ArrowLeft: () => step(-1, 0), ArrowRight: () => step(1, 0), ArrowUp: () => step(0, -1), ArrowDown: () => step(0, 1),
        Enter: () => chosen >= 0 && links[chosen].click(), "+": () => zoom(0.8), "=": () => zoom(0.8), "-": () => zoom(1.25),
        Escape: () => { choose(-1); view = { ...box }; look(); },
      };
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      keys[event.key]();
    });
    circles.forEach((circle, at) => {
      circle.addEventListener("click", () => (chosen === at ? links[at].click() : choose(at)));
      circle.addEventListener("dblclick", () => links[at].click());
      circle.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && choose(at));
    });
    links.forEach((link, at) => {
      link.addEventListener("focus", () => choose(at, { scroll: false }));
      link.addEventListener("pointerenter", () => choose(at, { scroll: false }));
    });
    let held = null;
    picture.addEventListener("pointerdown", (event) => { held = { x: event.clientX, y: event.clientY, moved: false }; });
    picture.addEventListener("pointermove", (event) => {
      if (!held || event.pointerType === "touch") return;
      const scale = view.width / picture.clientWidth;
      view.x -= (event.clientX - held.x) * scale; view.y -= (event.clientY - held.y) * scale;
      held = { x: event.clientX, y: event.clientY };
      look();
    });
    addEventListener("pointerup", () => { held = null; });
    stage.append(
      element("div", { class: "kb-graph-tools" }, button("+", "Zoom in", () => zoom(0.8)),
        button("\u2212", "Zoom out", () => zoom(1.25)),
        button("\u21ba", "See all", () => { choose(-1); view = { ...box }; look(); })),
      picture, told, help,
    );
    look();
    addEventListener("resize", look);
    /* A filter for the list. */
    const find = element("input", { type: "search", placeholder: "Find in the list", "aria-label": "Find in the list" });
    find.addEventListener("input", () => {
      const asked = find.value.trim().toLowerCase();
      for (const link of links) link.closest("li").hidden = !link.textContent.toLowerCase().includes(asked);
    });
    root.querySelector("#kb-graph-list").prepend(find);
  }

  function start() {
    const table = document.getElementById("kb-links-table");
    if (table && !table.dataset.ready) { table.dataset.ready = "yes"; linksTable(table); }
    const root = document.getElementById("kb-graph");
    if (root && !root.dataset.ready) { root.dataset.ready = "yes"; graph(root); }
  }
  /* Material's instant loading swaps pages without loading them: its document$ tells. */
  if (window.document$) window.document$.subscribe(start);
  else start();
})();
