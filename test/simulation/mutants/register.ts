/** Loaded before all else by a child process (`--import`): makes it the mutant that its surroundings name. */
import { register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkout } from '../../architecture/checkout.ts';
import { mutants } from './all.ts';
import type { Change } from './load-hook.ts';
import { compiledPath, mutantVariable } from './mutant.ts';

const id = process.env[mutantVariable];
const mutant = mutants.find((each) => each.id === id);
if (mutant === undefined) throw new Error(`There is no mutant '${id}'`);
const { find, replace } = mutant;
const data: Change = { url: pathToFileURL(join(checkout, compiledPath(mutant))).href, find, replace };
register('./load-hook.js', { parentURL: import.meta.url, data });
