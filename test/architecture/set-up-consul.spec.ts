/** Where the set-up takes Consul from: apt's sources in both of their forms. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, before, describe, it } from 'mocha';
import { checkout } from './checkout.ts';

interface Archive {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly options: readonly string[];
}

interface SetUpOfConsul {
  readArchives(folder: string): Archive[];
  mirrorOf(archives: readonly Archive[], release: string): Archive | undefined;
  sourcesFor(archive: Archive): string;
}

describe('the set-up of Consul', () => {
  let folder: string;
  let setUp: SetUpOfConsul;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-apt-'));
    await mkdir(join(folder, 'sources.list.d'));
    setUp = (await import(pathToFileURL(join(checkout, 'tools/setup/consul.mjs')).href)) as SetUpOfConsul;
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('reads one-line sources and stanzas, and leaves out what is off, source code and comments', async () => {
    await writeFile(
      join(folder, 'sources.list'),
      '# deb http://comment/debian bookworm main\ndeb-src http://source/debian bookworm main\n' +
        'deb [arch=amd64 signed-by=/key.gpg] http://line/debian bookworm main contrib\n',
    );
    await writeFile(
      join(folder, 'sources.list.d', 'a.sources'),
      'Types: deb\n# a comment\nURIs: http://one/debian\n http://two/debian\nSuites: bookworm bookworm-updates\n' +
        'Components: main\nSigned-By:\n -----BEGIN\n .\n -----END\n\n' +
        'Types: deb\nEnabled: no\nURIs: http://off/debian\nSuites: bookworm\n\n\n' +
        'Types: deb-src\nURIs: http://source/debian\nSuites: bookworm\n',
    );
    await writeFile(
      join(folder, 'sources.list.d', 'b.list.off'),
      'deb http://ignored/debian bookworm main\n',
    );
    assert.deepEqual(setUp.readArchives(folder), [
      { uris: ['http://line/debian'], suites: ['bookworm'], options: ['Signed-By: /key.gpg'] },
      {
        uris: ['http://one/debian', 'http://two/debian'],
        suites: ['bookworm', 'bookworm-updates'],
        options: ['Signed-By: -----BEGIN\n .\n -----END'],
      },
    ]);
  });

  it("adds the older suite from the mirror of the machine's own release, with its key", () => {
    const [other, own] = [
      { uris: ['http://security/debian'], suites: ['bookworm-security'], options: [] },
      { uris: ['http://mirror/debian'], suites: ['bookworm'], options: ['Signed-By: /key.gpg'] },
    ];
    const mirror = setUp.mirrorOf([other, own], 'bookworm');
    assert.equal(mirror, own);
    assert.equal(setUp.mirrorOf([other, own], 'sid'), undefined);
    assert.match(
      setUp.sourcesFor(own),
      /^Types: deb\nURIs: http:\/\/mirror\/debian\nSuites: bullseye\nComponents: main\nSigned-By: \/key\.gpg\n$/m,
    );
  });
});
