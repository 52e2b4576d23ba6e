// A table that is wider than a phone, or whose first column takes half of it, becomes a card for each row, each cell
// beside its heading (see custom.css).
"use strict";

const phone = window.matchMedia("(max-width: 46em)");

function fit(table) {
  table.classList.remove("cards");
  const wide = table.scrollWidth > table.parentElement.clientWidth;
  const crowded = table.rows[0].cells[0].offsetWidth > table.offsetWidth / 2;
  table.classList.toggle("cards", phone.matches && (wide || crowded));
}

window.addEventListener("DOMContentLoaded", () => {
  const tables = [...document.querySelectorAll("table.docutils")];
  for (const table of tables) {
    const headings = [...table.querySelectorAll("thead th")].map((heading) => heading.textContent);
    for (const row of table.tBodies[0].rows) {
      [...row.cells].forEach((cell, column) => {
        cell.dataset.heading = headings[column] ?? "";
        cell.classList.toggle("empty", cell.textContent.trim() === "");
      });
    }
  }
  const fitAll = () => tables.forEach(fit);
  fitAll();
  window.addEventListener("resize", fitAll);
});
