// The size of subtitles: 42 columns on a wide screen, fewer on a screen where the text would be too small to read.
import { WIDTH } from "./lines.js";

const SMALLEST = 24; // CSS pixels
const FEWEST = 12; // columns
const SHARE = 0.92; // of the screen's width
const SAMPLE = "the quick brown fox jumps over my lazy dog, then WAITS a moment";
const SPARE = 1.1; // some lines have more wide letters than the sample

// The average width of a letter, in em.
export function letter(font) {
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.font = `600 100px ${font}`;
  return (canvas.measureText(SAMPLE).width / SAMPLE.length / 100) * SPARE;
}

// Returns {size, columns, width}: the text size in pixels, the columns of a line, and the width of the block in pixels.
// `zoom` is the factor that the reader chose.
export function fit(screenWidth, screenHeight, letterWidth, zoom) {
  const width = screenWidth * SHARE;
  const natural = Math.min(width / (WIDTH * letterWidth), screenHeight * 0.11);
  const max = width / (FEWEST * letterWidth);
  const size = Math.min(Math.max(natural, SMALLEST) * zoom, max);
  const columns = Math.min(WIDTH, Math.floor(width / (size * letterWidth) + 1e-6));
  return { size, columns, width: Math.min(width, columns * size * letterWidth) };
}
