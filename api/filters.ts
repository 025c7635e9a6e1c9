/**
 * Filters `KEY=VALUE` of lists and of prune, with Docker's meaning: of one key any value is enough, of several keys each
 * must be met, and of labels every one. The daemon carries them out; a client can look for mistakes in them first.
 */
import { WeftError } from '../core/errors.ts';
import { nearest } from '../core/lib/nearest.ts';

/** What a filter says of an item. */
export type Matches<T> = (item: T) => boolean;

export interface FilterKey<T> {
  /** The test that a value stands for. @throws WeftError `malformed` where it can stand for none */
  readonly read: (value: string) => Matches<T>;
  /** Whether every value must be met, not any. */
  readonly isEvery?: true;
}

/** By the word before the `=`. */
export type FilterKeys<T> = Readonly<Record<string, FilterKey<T>>>;

/** One test of all that is asked for. @throws WeftError `malformed` */
export function parseFilters<T>(keys: FilterKeys<T>, texts: readonly string[] = []): Matches<T> {
  const tests = new Map<string, Matches<T>[]>();
  for (const text of texts) {
    const { key, value } = splitFilter(text);
    const found = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (found === undefined) throw unknownKey(key, Object.keys(keys));
    tests.set(key, [...(tests.get(key) ?? []), found.read(value)]);
  }
  return (item) =>
    [...tests].every(([key, each]) => {
      const isMet = (test: Matches<T>): boolean => test(item);
      return keys[key]?.isEvery === true ? each.every(isMet) : each.some(isMet);
    });
}

/** A part of a text, as Docker takes names and ids. */
export function partOf<T>(textOf: (item: T) => string): FilterKey<T> {
  return { read: (value) => (item) => textOf(item).includes(value) };
}

/** The whole text. */
export function exactly<T>(textOf: (item: T) => string): FilterKey<T> {
  return { read: (value) => (item) => textOf(item) === value };
}

/** One of some words, each with its test. */
export function oneOf<T>(key: string, words: Readonly<Record<string, Matches<T>>>): FilterKey<T> {
  return {
    read: (value) => {
      const test = Object.hasOwn(words, value) ? words[value] : undefined;
      if (test !== undefined) return test;
      throw malformed(
        `filter ${key}=${JSON.stringify(value)} is none of ${Object.keys(words).join(', ')}: give one of them`,
      );
    },
  };
}

type Labels = Readonly<Record<string, string>>;

/** `KEY`, or `KEY=VALUE`; every one that is given must be there. */
export function labelled<T>(labelsOf: (item: T) => Labels): FilterKey<T> {
  return { read: (text) => hasLabel(labelsOf, text), isEvery: true };
}

/** The same of labels that must not be there. */
export function notLabelled<T>(labelsOf: (item: T) => Labels): FilterKey<T> {
  return {
    read: (text) => {
      const has = hasLabel(labelsOf, text);
      return (item) => !has(item);
    },
    isEvery: true,
  };
}

function hasLabel<T>(labelsOf: (item: T) => Labels, text: string): Matches<T> {
  const at = text.indexOf('=');
  const key = at < 0 ? text : text.slice(0, at);
  if (key === '') throw malformed('filter label needs a key: write label=key or label=key=value');
  const value = at < 0 ? undefined : text.slice(at + 1);
  return (item) => {
    const labels = labelsOf(item);
    return Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
  };
}

function splitFilter(text: string): { readonly key: string; readonly value: string } {
  const at = text.indexOf('=');
  if (at > 0) return { key: text.slice(0, at), value: text.slice(at + 1) };
  throw malformed(`filter ${JSON.stringify(text)} has no key and value: write key=value`);
}

function unknownKey(key: string, known: readonly string[]): WeftError {
  const hint = nearest(key, known) ?? '';
  return malformed(
    `there is no filter ${JSON.stringify(key)}: did you mean ${hint}? There are ${known.join(', ')}`,
  );
}

function malformed(message: string): WeftError {
  return new WeftError('malformed', message);
}
