'use strict';
for (const button of document.querySelectorAll('th > button')) {
  button.addEventListener('click', () => {
    const heading = button.parentElement;
    const direction = heading.getAttribute('aria-sort') === 'ascending' ? 'descending' : 'ascending';
    for (const other of heading.parentElement.cells) other.setAttribute('aria-sort', 'none');
    heading.setAttribute('aria-sort', direction);
    const sign = direction === 'ascending' ? 1 : -1;
    const compare = (a, b) => {
      [a, b] = [a.cells[heading.cellIndex], b.cells[heading.cellIndex]];
      const number = (cell) => cell.dataset.value ?? (isNaN(parseFloat(cell.textContent)) || isNaN(cell.textContent) ? undefined : cell.textContent);
      const [x, y] = [number(a), number(b)];
      if (x === undefined || y === undefined) {
        return sign * a.textContent.localeCompare(b.textContent, undefined, { numeric: true });
      }
      if (x === '' || y === '') return (x === '') - (y === ''); // absent numbers stay below
      return sign * (x - y);
    };
    const body = heading.closest('table').tBodies[0];
    body.append(...[...body.rows].sort(compare));
  });
}
