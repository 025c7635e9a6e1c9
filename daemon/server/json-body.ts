/**
 * Bodies: UTF-8 JSON and nothing that pretends to be. Broken bytes are refused, and so are keys that would
 * touch an object's prototype: a schema would silently drop them.
 */
import type { FastifyInstance } from 'fastify';
import { malformed } from './failures.ts';

export function acceptJson(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    let text: string;
    try {
      text = utf8.decode(body as Buffer);
    } catch {
      // The one way in which decoding fails is that the bytes are no UTF-8, and that is what is said.
      done(malformed('the body is not UTF-8'), undefined);
      return;
    }
    // It answers by `done`; the promise in its type is for parsers that have none.
    void parseJson(request, text, done);
  });
}
