
"use strict";
// The page is whole without this. It finds rows, and puts them into another order.
for (const part of document.querySelectorAll(".charges")) {
  const tables = [...part.querySelectorAll("table.rows")];
  const bodies = tables.map((table) => table.tBodies[0]);
  const sizes = bodies.map((body) => body.rows.length);
  const found = bodies.flatMap((body) => [...body.rows]);
  if (found.length < 8) continue;

  const tools = part.querySelector(".tools");
  const [words, only] = tools.querySelectorAll("input");
  const said = tools.querySelector("output");
  const rest = part.querySelector("details.rest");
  const texts = new Map(found.map((row) => [row, row.textContent.toLowerCase()]));
  tools.hidden = false;
  part.querySelector(".only").hidden = !found.some((row) => row.classList.contains("look"));

  const show = () => {
    const sought = words.value.trim().toLowerCase();
    let shown = 0;
    for (const row of found) {
      row.hidden = !texts.get(row).includes(sought) || (only.checked && !row.classList.contains("look"));
      if (!row.hidden) shown += 1;
    }
    const narrowed = sought !== "" || only.checked;
    said.textContent = narrowed ? `${shown} of ${found.length} rows` : "";
    if (narrowed && rest) rest.open = true;
  };
  words.addEventListener("input", show);
  only.addEventListener("change", show);

  // Numbers are compared as whole numbers of their 40th digit behind the point: exactly.
  const key = (cell) => {
    const text = cell ? cell.textContent.trim() : "";
    if (!cell || !cell.classList.contains("n")) return text.toLowerCase();
    const parts = /^([+-]?)(\d+)(?:\.(\d+))?%?$/.exec(text.replaceAll(",", ""));
    if (!parts) return null;
    const number = BigInt(parts[2] + (parts[3] || "").padEnd(40, "0"));
    return parts[1] === "-" ? -number : number;
  };
  const sort = (column, up) => {
    const keys = new Map(found.map((row) => [row, key(row.cells[column])]));
    const order = [...found].sort((left, right) => {
      const [a, b] = [keys.get(left), keys.get(right)];
      // What is no number stands at the end either way.
      if (a === null || b === null) return (a === null) - (b === null);
      return a < b ? (up ? -1 : 1) : a > b ? (up ? 1 : -1) : 0;
    });
    bodies.reduce((from, body, index) => {
      body.append(...order.slice(from, from + sizes[index]));
      return from + sizes[index];
    }, 0);
  };
  for (const [column] of [...tables[0].tHead.rows[0].cells].entries()) {
    const heads = tables.map((table) => table.tHead.rows[0].cells[column]);
    for (const head of heads) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const is = head.getAttribute("aria-sort");
        const up = head.classList.contains("n") ? is === "descending" : is !== "ascending";
        for (const table of tables) for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        for (const same of heads) same.setAttribute("aria-sort", up ? "ascending" : "descending");
        sort(column, up);
      });
    }
  }
}
