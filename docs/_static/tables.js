// A table that is wider than a phone becomes a card for each row, each cell beside its heading (see custom.css).
"use strict";

const phone = window.matchMedia("(max-width: 46em)");

function fit(table) {
  table.classList.remove("cards");
  table.classList.toggle("cards", phone.matches && table.scrollWidth > table.parentElement.clientWidth);
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
