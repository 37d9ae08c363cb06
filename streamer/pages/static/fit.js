// The size of subtitles: 42 columns where the screen is wide, fewer where they would be too small to read.
import { WIDTH } from "./lines.js";

const SMALLEST = 24; // CSS pixels
const FEWEST = 12; // columns
const SHARE = 0.92; // of the screen's width
const SAMPLE = "the quick brown fox jumps over my lazy dog, then WAITS a moment";
const SPARE = 1.1; // some lines have more wide letters than the sample

// The width of an average letter, in ems of the font.
export function letter(font) {
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.font = `600 100px ${font}`;
  return (canvas.measureText(SAMPLE).width / SAMPLE.length / 100) * SPARE;
}

// {size, columns, width}: of the text in pixels, of a line, of the block in pixels; `chosen` is the reader's factor.
export function fit(screenWidth, screenHeight, letterWidth, chosen) {
  const width = screenWidth * SHARE;
  const natural = Math.min(width / (WIDTH * letterWidth), screenHeight * 0.11);
  const most = width / (FEWEST * letterWidth);
  const size = Math.min(Math.max(natural, SMALLEST) * chosen, most);
  const columns = Math.min(WIDTH, Math.floor(width / (size * letterWidth) + 1e-6));
  return { size, columns, width: Math.min(width, columns * size * letterWidth) };
}
