/**
 * Requests and their answers over one netlink socket.
 *
 * rtnetlink carries a request out inside `send`, and has queued its answers when `send` returns; a dump goes on inside
 * `recv`. So everything here is synchronous, nothing waits, and an answer that is not there will never come.
 *
 * Requests go many to a `send`. Only the last of a batch asks for an acknowledgement: the kernel answers failures
 * unasked and in order, so when that acknowledgement is there, every request without an answer has succeeded. (That
 * saves the kernel a message per request; it holds because the receive buffer has room for a batch of nothing but
 * failures, see `limits.ts`.)
 */
import {
  batchBytesMax,
  batchRequestsMax,
  datagramBytesMax,
  dumpAttemptsMax,
  dumpMessagesMax,
  requestBufferBytes,
  requestBytesMax,
} from '../limits.ts';
import { errno } from '../native/constants.ts';
import { SystemError } from '../native/libc.ts';
import { MalformedMessage } from './attribute.ts';
import { errorOf, KernelError, messageDone, messageError } from './kernel-error.ts';
import { type Message, messagesOf, type Request } from './message.ts';
import type { NetlinkSocket } from './socket.ts';
import { MessageWriter } from './writer.ts';

/** `linux/netlink.h`. */
const flagRequest = 1;
const flagAck = 4;
const flagDump = 0x300;
const flagDumpInterrupted = 0x10;

/** One writer and one buffer serve all sockets: every use begins and ends within one synchronous call. */
const writer = new MessageWriter(batchBytesMax + requestBytesMax);
const receiveBuffer = new Uint8Array(datagramBytesMax);

export class RequestSocket {
  readonly #open: () => NetlinkSocket;
  #socket: NetlinkSocket | undefined;
  #sequence = 0;

  /** @param open opens a socket in the namespace that is meant; called again after any fault of the socket */
  constructor(open: (receiveBufferBytes: number) => NetlinkSocket) {
    this.#open = () => open(requestBufferBytes);
  }

  /** Carries out changes in order; one result each, undefined where it succeeded. A failure does not stop the rest. */
  carryOut(requests: readonly Request[]): (KernelError | undefined)[] {
    const results: (KernelError | undefined)[] = new Array(requests.length);
    for (let start = 0; start < requests.length; ) {
      const { first, end } = this.#write(requests, start, flagAck);
      for (const [at, error] of this.#guarded((socket) => this.#exchange(socket, first, end - start))) {
        results[start + at] = error;
      }
      start = end;
    }
    return results;
  }

  /**
   * Asks for single objects; each answer is decoded by `read` while it lies in the buffer.
   *
   * @returns per request what `read` made of its answer, or the refusal
   */
  ask<T>(requests: readonly Request[], read: (message: Message) => T): (T | KernelError)[] {
    const results: (T | KernelError)[] = new Array(requests.length);
    for (let start = 0; start < requests.length; ) {
      const { first, end } = this.#write(requests, start, 0);
      const from = start;
      this.#guarded((socket) => {
        socket.send(writer.buffer, writer.length);
        for (let open = end - from; open > 0; ) {
          for (const message of answers(socket)) {
            const at = from + message.sequence - first;
            if (at < from || at >= end || at in results) continue;
            open -= 1;
            results[at] = message.type === messageError ? refusalOf(message) : read(message);
          }
        }
      });
      start = end;
    }
    return results;
  }

  /**
   * Everything that the request selects, as it stood at one moment: a dump that a change interrupted is repeated.
   *
   * @throws KernelError when the kernel refuses, or a change interrupts every attempt
   */
  dump(request: Request): Message[] {
    for (let attempt = 1; attempt <= dumpAttemptsMax; attempt++) {
      const messages = this.#guarded((socket) => this.#dumpOnce(socket, request));
      if (messages !== undefined) return messages;
    }
    throw new KernelError(errno.EBUSY, `the tables changed during each of ${dumpAttemptsMax} dumps`);
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  /** Writes requests from `start` on into the batch, until it is full. */
  #write(
    requests: readonly Request[],
    start: number,
    lastFlags: number,
  ): { readonly first: number; readonly end: number } {
    writer.reset();
    const first = this.#nextSequence(requests.length - start);
    let end = start;
    let last = 0;
    while (end < requests.length && end - start < batchRequestsMax && writer.length < batchBytesMax) {
      const one = requests[end] as Request;
      last = writer.begin(one.type, flagRequest | one.flags, first + end - start);
      one.write(writer);
      writer.end(last);
      end += 1;
    }
    writer.addFlags(last, lastFlags);
    return { first, end };
  }

  /** Numbers are never used twice on a socket within 2^31 requests, so that a late answer matches nothing. */
  #nextSequence(count: number): number {
    if (this.#sequence > 0x7fff_0000 - count) this.#sequence = 0;
    const first = this.#sequence + 1;
    this.#sequence += count;
    return first;
  }

  #exchange(socket: NetlinkSocket, first: number, count: number): [number, KernelError | undefined][] {
    const failures: [number, KernelError | undefined][] = [];
    socket.send(writer.buffer, writer.length);
    for (;;) {
      for (const message of answers(socket)) {
        const at = message.sequence - first;
        if (message.type !== messageError || at < 0 || at >= count) continue;
        const error = errorOf(message);
        if (error !== undefined) failures.push([at, error]);
        if (at === count - 1) return failures;
      }
    }
  }

  /** @returns undefined when a change interrupted the dump */
  #dumpOnce(socket: NetlinkSocket, request: Request): Message[] | undefined {
    const sequence = this.#nextSequence(1);
    writer.reset();
    const start = writer.begin(request.type, flagRequest | flagDump | request.flags, sequence);
    request.write(writer);
    writer.end(start);
    socket.send(writer.buffer, writer.length);
    const messages: Message[] = [];
    let interrupted = false;
    for (;;) {
      for (const message of copiedAnswers(socket)) {
        if (message.sequence !== sequence) continue;
        interrupted ||= (message.flags & flagDumpInterrupted) !== 0;
        if (message.type === messageDone || message.type === messageError) {
          // Some kernels end a dump without a status.
          const error = message.payload.byteLength === 0 ? undefined : errorOf(message);
          if (error !== undefined) throw error;
          return interrupted ? undefined : messages;
        }
        messages.push(message);
        if (messages.length > dumpMessagesMax) throw new MalformedMessage('a dump does not end');
      }
    }
  }

  /** After any fault but a refusal, answers may be left in the socket: it is thrown away. */
  #guarded<T>(work: (socket: NetlinkSocket) => T): T {
    this.#socket ??= this.#open();
    try {
      return work(this.#socket);
    } catch (error) {
      if (error instanceof KernelError) throw error;
      this.close();
      if (error instanceof SystemError) throw new KernelError(error.errno, error.message);
      throw error;
    }
  }
}

function answers(socket: NetlinkSocket): Message[] {
  const messages = socket.receive(receiveBuffer);
  if (messages === undefined) throw lostAnswer();
  return messages;
}

/** For dumps, which are decoded when they are complete. */
function copiedAnswers(socket: NetlinkSocket): Message[] {
  const datagram = socket.receiveRaw(receiveBuffer);
  if (datagram === undefined) throw lostAnswer();
  return messagesOf(datagram.slice());
}

/** A question is not answered by an acknowledgement alone. */
function refusalOf(message: Message): KernelError {
  const error = errorOf(message);
  if (error === undefined) throw lostAnswer();
  return error;
}

function lostAnswer(): MalformedMessage {
  return new MalformedMessage('the kernel gave no answer');
}
