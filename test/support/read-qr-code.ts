import { stripVTControlCharacters } from 'node:util';
import { decodeQR } from 'qr/decode.js';

/** Pixels a module: a camera doesn't see single ones either. */
const SCALE = 4;

/** What the phone of who looks at the terminal reads. Drawn is light, on a dark background. */
export function readTerminalQrCode(text: string): string {
  const lines = stripVTControlCharacters(text).trimEnd().split('\n');
  const modules = lines.flatMap((line) => {
    const blocks = Array.from(line);
    return [blocks.map((block) => '█▀'.includes(block)), blocks.map((block) => '█▄'.includes(block))];
  });
  const width = (modules[0]?.length ?? 0) * SCALE;
  const height = modules.length * SCALE;
  const data = new Uint8Array(width * height * 4);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const row = Math.floor(pixel / width / SCALE);
    const column = Math.floor((pixel % width) / SCALE);
    data
      .fill(modules[row]?.[column] === true ? 255 : 0, pixel * 4, pixel * 4 + 3)
      .fill(255, pixel * 4 + 3, pixel * 4 + 4);
  }
  return decodeQR({ width, height, data });
}
