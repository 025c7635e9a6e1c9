/**
 * Loaded before all else by child processes of a spec (`--import`): faults in production code that make a life depend on
 * where it is lived, one of which `WEFT_PLANTED_CHANCE` names. Then `createNetwork` is refused, which is no defect by itself.
 */
import { Controller } from '../../../core/controller/controller.ts';
import { WeftError } from '../../../core/errors.ts';

const { createNetwork, run } = Controller.prototype;
let runs = 0;

const isRefused: Readonly<Record<string, () => boolean>> = {
  'time-zone': () => new Date(0).getHours() !== 0,
  language: () => ['z', 'ö'].toSorted((a, b) => a.localeCompare(b))[0] === 'z',
  'true-chance': () => Math.random() < 0.5,
  'left-over': () => runs % 3 === 0,
};

Controller.prototype.run = async function (...args) {
  runs += 1;
  return await run.apply(this, args);
};

Controller.prototype.createNetwork = async function (request, context) {
  // A life cannot go on without the last word of a host: refused by chance, it would fail before it could be compared.
  const isLastWord = context.by.startsWith('last-');
  if (!isLastWord && isRefused[process.env['WEFT_PLANTED_CHANCE'] ?? '']?.() === true)
    throw new WeftError('not-ready', 'This host is not in the mood');
  return await createNetwork.call(this, request, context);
};
