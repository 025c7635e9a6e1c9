/**
 * libnftables (Debian: libnftables1), called through koffi: statements of nft's language as one transaction, without a
 * process. `docs/decisions/0016-nftables-in-process.md` says why.
 *
 * The library is loaded when it is first needed, so that weft runs without it where no network needs a firewall.
 */
import koffi from 'koffi';

const libraryName = 'libnftables.so.1';

/** Opaque; koffi's own. */
type Pointer = object;

interface Library {
  readonly newContext: (flags: number) => Pointer;
  readonly freeContext: (context: Pointer) => void;
  readonly bufferErrors: (context: Pointer) => number;
  readonly bufferOutput: (context: Pointer) => number;
  readonly errors: (context: Pointer) => string;
  readonly run: (context: Pointer, statements: string) => number;
}

let loaded: Library | undefined;

/** @throws Error when it is not installed */
function library(): Library {
  if (loaded !== undefined) return loaded;
  const lib = load();
  loaded = {
    newContext: lib.func('void *nft_ctx_new(uint32_t)') as Library['newContext'],
    freeContext: lib.func('void nft_ctx_free(void *)') as Library['freeContext'],
    bufferErrors: lib.func('int nft_ctx_buffer_error(void *)') as Library['bufferErrors'],
    bufferOutput: lib.func('int nft_ctx_buffer_output(void *)') as Library['bufferOutput'],
    errors: lib.func('const char *nft_ctx_get_error_buffer(void *)') as Library['errors'],
    run: lib.func('int nft_run_cmd_from_buffer(void *, const char *)') as Library['run'],
  };
  return loaded;
}

function load(): ReturnType<typeof koffi.load> {
  try {
    return koffi.load(libraryName);
  } catch (error) {
    throw new Error(`ENOENT: ${libraryName} cannot be loaded; install Debian's libnftables1`, {
      cause: error,
    });
  }
}

/** What one network namespace's firewall is spoken to through. */
export class NftContext {
  readonly #library: Library;
  readonly #context: Pointer;
  #closed = false;

  /** Belongs to the network namespace of the calling thread. @throws Error when the library is not installed */
  constructor() {
    this.#library = library();
    this.#context = this.#library.newContext(0);
    // Otherwise both would be on the daemon's own standard output.
    this.#library.bufferErrors(this.#context);
    this.#library.bufferOutput(this.#context);
  }

  /**
   * Carries out all of the statements, or none. Each is a line to the library, in which no statement has a newline.
   *
   * @throws Error in the library's words, on one line
   */
  run(statements: readonly string[]): void {
    const status = this.#library.run(this.#context, `${statements.join('\n')}\n`);
    if (status === 0) return;
    const words = this.#library.errors(this.#context).trim();
    throw new Error(words === '' ? `nftables refused with status ${status}` : firstLine(words));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#library.freeContext(this.#context);
  }
}

/** The lines after it show the statement and point at a place in it. */
function firstLine(words: string): string {
  return (words.split('\n', 1)[0] ?? words).replace(/^\S+?: Error: |^Error: /, '');
}
