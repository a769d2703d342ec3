(() => {
  const root = document.documentElement, by = (id) => document.getElementById(id), all = (what) => [...document.querySelectorAll(what)];
  all(".js").forEach((part) => { part.hidden = false; });

  // light and dark
  const button = by("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const label = () => { button.textContent = dark() ? "Light" : "Dark"; };
  button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; label(); });
  label();

  // what a link points to is open, also inside of what is folded
  const open = () => {
    const target = location.hash && by(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
    target.querySelector(":scope > details:not(.about)")?.setAttribute("open", "");
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();

  // copy a link, a citation, BibTeX
  const say = (text) => { by("said").textContent = text; };
  const copy = (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => say("Copied."), () => say(text));
    say(text);
  };
  all(".copy").forEach((part) => part.addEventListener("click", () => {
    const what = part.dataset.copy, here = location.href.split("#")[0] + "#" + part.closest("[id]").id;
    copy(what === "link" ? here : what === "bibtex" ? by("bibtex").textContent : `${what}. ${document.title}. ${here}`);
  }));

  // one model, marked everywhere
  const rows = all("tr, .forest g[data-model]");
  const named = (row) => row.dataset.model ? [row.dataset.model] : [...row.cells].slice(0, 4).map((cell) => cell.textContent.trim());
  by("highlight").addEventListener("change", (event) => {
    const model = event.target.value;
    let n = 0;
    for (const row of rows) n += row.classList.toggle("lit", Boolean(model) && named(row).includes(model));
    say(model ? `${model}: ${n} rows` : "");
  });

  // search in what stands on the page
  const places = all("article, .claim, #howto, #s-methods, .card li").map((part) => ({
    id: part.id || part.closest("[id]").id, title: part.querySelector("h2, h3, b")?.textContent.trim() || part.id, text: part.textContent,
  }));
  by("search").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase(), list = by("found");
    const found = wanted.length < 2 ? [] : places.filter((place) => place.text.toLowerCase().includes(wanted));
    list.replaceChildren(...found.slice(0, 20).map((place) => {
      const line = document.createElement("li"), link = document.createElement("a"), at = place.text.toLowerCase().indexOf(wanted);
      link.href = "#" + place.id;
      link.textContent = place.title;
      line.append(link, " … " + place.text.slice(Math.max(0, at - 40), at + 60).replace(/\s+/g, " "));
      return line;
    }));
    list.hidden = !found.length;
    say(wanted.length < 2 ? "" : `${found.length} places`);
  });
  by("found").addEventListener("click", () => { by("found").hidden = true; });
  addEventListener("keydown", (event) => { if (event.key === "Escape") by("found").hidden = true; });

  // sort by a column, within each group of rows
  const value = (cell) => {
    const text = (cell?.innerText ?? "").trim(), found = text.replace(/−/g, "-").replace(/,/g, "").match(/^[<> ]*(-?[\d.]+)/);
    return text === "–" || text === "not run" || !text ? -Infinity : found ? parseFloat(found[1]) : text.toLowerCase();
  };
  for (const table of all("table.grid, table.wide")) {
    const heads = [...table.querySelectorAll("th[data-column]")];
    for (const head of heads) {
      const column = Number(head.dataset.column), sorter = document.createElement("button");
      sorter.type = "button";
      sorter.textContent = head.textContent;
      head.replaceChildren(sorter);
      if (table.tBodies[0].rows[0]?.cells[column]?.classList.contains("n")) head.classList.add("n");
      sorter.addEventListener("click", () => {
        const up = table.classList.contains("wide") && column ? head.getAttribute("aria-sort") === "descending" : head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        for (const body of table.tBodies) {
          const kind = [...body.rows].filter((row) => row.classList.contains("kind"));
          const sorted = [...body.rows].filter((row) => !kind.includes(row)).sort((a, b) => {
            const x = value(a.cells[column]), y = value(b.cells[column]);
            const order = typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === "number" ? -1 : 1;
            return up ? order : -order;
          });
          body.append(...kind, ...sorted);
        }
      });
    }
  }
})();
