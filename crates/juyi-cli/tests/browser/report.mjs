// Looks at reports in a real browser: node report.mjs FOLDER REPORT.html...
// Screenshots go to FOLDER. Exits with 1 and a list if something does not hold.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const { chromium } = createRequire(import.meta.url)('playwright-core');
const [folder, ...reports] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

/** In the page: what is wrong with it as it stands. */
function look() {
  const wrong = [];
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) wrong.push(`the page scrolls sideways: ${scrollWidth} of ${clientWidth}`);
  const named = (image) => image.tagName === 'IMG'
    ? image.alt
    : (image.getAttribute('aria-labelledby') ?? '').split(' ').every((id) => document.getElementById(id)?.textContent);
  for (const image of document.querySelectorAll('img, svg')) {
    if (!named(image)) wrong.push(`no text alternative: ${image.outerHTML.slice(0, 80)}`);
    if (image.tagName === 'IMG' && !image.naturalWidth) wrong.push(`a broken picture: ${image.alt}`);
  }
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  if (new Set(ids).size < ids.length) wrong.push('an id is there twice');

  // Contrast of every text with the ground below it.
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const mix = (colours) => { // painted one over the other
    for (const colour of colours) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (colour) => colour
    .map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || element.closest('script, title, desc')) continue;
    const grounds = [];
    for (let e = element; e; e = e.parentElement) grounds.unshift(getComputedStyle(e).backgroundColor);
    const style = getComputedStyle(element);
    const ink = element.closest('svg') ? style.fill : style.color;
    const [a, b] = [mix(['white', ...grounds]), mix(['white', ...grounds, ink])].map(luminance);
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) wrong.push(`contrast ${contrast.toFixed(2)}: ${texts.currentNode.data.trim().slice(0, 40)}`);
  }
  return wrong;
}

/** In the page: what is wrong with how its tables sort. */
function sort() {
  const wrong = [];
  for (const button of document.querySelectorAll('th > button')) {
    const heading = button.parentElement;
    const column = () => [...heading.closest('table').tBodies[0].rows].map((row) => row.cells[heading.cellIndex]);
    const shown = () => column().map((cell) => cell.dataset.value ?? cell.textContent).filter((text) => text !== '');
    const rank = (a, b) => (isNaN(a) || isNaN(b) ? a.localeCompare(b, undefined, { numeric: true }) : a - b);
    for (const [direction, sign] of [['ascending', 1], ['descending', -1]]) {
      button.click();
      const values = shown();
      const sorted = values.every((value, k) => k === 0 || sign * rank(values[k - 1], value) <= 0);
      if (!sorted || heading.getAttribute('aria-sort') !== direction) wrong.push(`${button.textContent} is not ${direction}`);
    }
  }
  return document.querySelector('th > button') ? wrong : ['no table can be sorted'];
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const wrong = [];
for (const report of reports) {
  const address = pathToFileURL(resolve(report)).href;
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [360, 768, 1280]) {
      const name = `${basename(dirname(resolve(report)))}-${width}-${colorScheme}`;
      const say = (texts) => wrong.push(...texts.map((text) => `${name}: ${text}`));
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
      page.on('console', (message) => say([`console: ${message.text()}`]));
      page.on('pageerror', (error) => say([`error: ${error}`]));
      page.on('request', (request) => {
        if (request.url() !== address && !request.url().startsWith('data:')) say([`request: ${request.url()}`]);
      });
      await page.goto(address);
      say(await page.evaluate(look));
      await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
      say(await page.evaluate(sort));
      await page.locator('th > button').first().focus(); // the keyboard sorts too
      await page.keyboard.press('Enter');
      if (!(await page.locator('th[aria-sort=ascending]').count())) say(['the keyboard does not sort']);
      await page.emulateMedia({ media: 'print' });
      if (width === 768) say(await page.evaluate(look)); // about a sheet of paper
      await page.close();
    }
  }
}
await browser.close();
if (!reports.length) wrong.push('no report is given');
wrong.forEach((text) => console.error(text));
process.exitCode = wrong.length ? 1 : 0;
