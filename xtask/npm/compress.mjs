// Writes the compressed forms of a file beside it, as small as they get: node compress.mjs <file>
// The same bytes for the same content.
import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [filename] = process.argv.slice(2);
const content = readFileSync(filename);
const params = {
  [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
  [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
  [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
};
writeFileSync(`${filename}.br`, brotliCompressSync(content, { params }));
writeFileSync(`${filename}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }));
