// What a screen can do beyond paper; without a script the page is complete: all members, best first, and every link.
"use strict";

// The table of all members: a box to search it, and heads that sort it.
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

// The bar of questions marks the section that stands below it: the last one whose head has passed.
const marks = [...document.querySelectorAll(".bar a")].map((link) => [link, document.querySelector(link.hash)]);
const mark = () => {
  const passed = marks.filter(([, head]) => head.getBoundingClientRect().top < innerHeight / 3);
  const current = passed.length ? passed[passed.length - 1][0] : null;
  for (const [link] of marks) link === current ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
};
let isWaiting = false;
addEventListener("scroll", () => {
  if (isWaiting) return;
  isWaiting = true;
  requestAnimationFrame(() => { isWaiting = false; mark(); });
}, { passive: true });
mark();

// A link to a word of the glossary unfolds it.
const unfold = () => {
  const target = document.getElementById(location.hash.slice(1)), fold = target?.closest("details:not([open])");
  if (fold) { fold.open = true; target.scrollIntoView(); }
};
addEventListener("hashchange", unfold);
unfold();
