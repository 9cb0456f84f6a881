// Checks the grammar of pages of Markdown with harper (Automattic's). Usage: node scripts/grammar.mjs MODULES PAGE...
// MODULES is the folder that harper.js is installed in. Exceptions are in scripts/grammar.toml.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';

const [folder, ...pages] = process.argv.slice(2);
const module = (path) => import(pathToFileURL(resolve(folder, 'node_modules/harper.js/dist', path)));
const { Dialect, LocalLinter } = await module('index.js');
const { binaryInlined } = await module('binaryInlined.js');

const exceptions = readFileSync(new URL('grammar.toml', import.meta.url), 'utf8');
const off = [...exceptions.matchAll(/^(\w+) = ".+"$/gm)].map((line) => line[1]);

const linter = new LocalLinter({ binary: binaryInlined, dialect: Dialect.American });
const rules = await linter.getDefaultLintConfig();
const unknown = off.filter((rule) => !(rule in rules));
if (unknown.length > 0) throw new Error(`harper has no rule ${unknown.join(', ')}`);
for (const rule of off) rules[rule] = false;
await linter.setLintConfig(rules);

let found = 0;
for (const page of pages) {
  const text = readFileSync(page, 'utf8');
  for (const [rule, lints] of Object.entries(await linter.organizedLints(text, { language: 'markdown' }))) {
    for (const lint of lints) {
      const characters = [...text].slice(0, lint.span().start).join('');
      const line = characters.split('\n').length;
      console.log(`${page}:${line}: ${rule}: ${lint.message()} (${lint.get_problem_text().replaceAll('\n', ' ')})`);
      found += 1;
    }
  }
}
process.exitCode = found === 0 ? 0 : 1;
