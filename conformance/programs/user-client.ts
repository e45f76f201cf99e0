/**
 * The face that the two clients of the UserService share, so that the same checks run with grpc-js and with ours.
 */

export type Pairs = Readonly<Record<string, string | Uint8Array>>;

export interface CallInit {
  readonly metadata?: Pairs;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface UnaryAnswer {
  readonly id: string;
  readonly headers: Pairs;
  readonly trailers: Pairs;
}

/** How a call failed, in the words of gRPC. */
export class CallFailure extends Error {
  readonly code: number;
  readonly hasDetails: boolean;

  constructor(code: number, message: string, hasDetails: boolean) {
    super(message);
    this.code = code;
    this.hasDetails = hasDetails;
  }
}

export interface UserClient {
  getUser(userId: string, init?: CallInit): Promise<UnaryAnswer>;
  /** The name comes back. */
  createUser(name: string): Promise<string>;
  updateUser(): Promise<void>;
  /** How many messages came. With `leaveAfter` the call is given up after that many. */
  streamUsers(pageSize: number, options?: { filter?: string; leaveAfter?: number }): Promise<number>;
  createUserStream(names: Iterable<string>): Promise<{ readonly count: number; readonly octets: number }>;
  /** Sends one text after the other, each when the one before came back, and returns what came back. */
  userChat(texts: readonly string[]): Promise<string[]>;
  close(): Promise<void>;
}
