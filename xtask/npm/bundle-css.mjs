// Prints a style sheet with its imports in place, made small: node bundle-css.mjs <file>
import { bundle } from "lightningcss";

const [filename] = process.argv.slice(2);
try {
  process.stdout.write(bundle({ filename, minify: true }).code);
} catch (fault) {
  // Without the stack, which says nothing about the style sheet.
  console.error(`${fault.fileName ?? filename}:${fault.loc?.line ?? 0}: ${fault.message}`);
  process.exitCode = 1;
}
