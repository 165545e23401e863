// The table of all members: a box to search it, and heads that sort it. Without a script it is complete, best first.
"use strict";
for (const table of document.querySelectorAll("table.members")) {
  const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
  const box = document.createElement("input");
  box.type = "search";
  box.placeholder = table.dataset.search;
  box.setAttribute("aria-label", table.dataset.search);
  box.addEventListener("input", () => {
    const wanted = box.value.trim().toLocaleLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
  });
  table.parentElement.before(box);

  const value = (row, place) => row.cells[place].dataset.value ?? row.cells[place].textContent;
  const compare = (one, other) => isNaN(one - other) ? one.localeCompare(other) : one - other;
  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => {
      const sign = head.ariaSort === "ascending" ? -1 : 1;
      for (const each of heads) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
      rows.sort((one, other) => sign * compare(value(one, place), value(other, place)));
      body.append(...rows);
    });
    head.replaceChildren(button);
  });
}
