/**
 * The client connection preface, and what else may come in its place. RFC 9113 §3.4. An HTTP/1.1 request is answered in
 * words its sender understands, not with silence.
 */
import { ErrorCode } from "./error-code.ts";
import { connectionFault, type Fault } from "./fault.ts";

export const CLIENT_PREFACE: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

const HTTP1_TEXT = "This port speaks HTTP/2 (gRPC) only, with prior knowledge or ALPN h2.\n";

/** RFC 9110 §15.5.22: what the server is willing to speak instead. */
export const HTTP1_RESPONSE: Buffer = Buffer.from(
  "HTTP/1.1 426 Upgrade Required\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n" +
    `Content-Type: text/plain\r\nContent-Length: ${HTTP1_TEXT.length}\r\n\r\n${HTTP1_TEXT}`,
  "latin1",
);

/** "HTT", read as the length of a frame. */
const HTTP1_ANSWER_LENGTH = 0x48_54_54;
const HTTP1_ANSWER = connectionFault(ErrorCode.HTTP_1_1_REQUIRED, "http1-answer");
const TLS_ANSWER = connectionFault(ErrorCode.PROTOCOL_ERROR, "tls-answer");

/** What a server speaks instead of HTTP/2, by the first three octets of its answer, read as the length of a frame. */
export function foreignAnswer(frameLength: number): Fault | undefined {
  if (frameLength === HTTP1_ANSWER_LENGTH) return HTTP1_ANSWER;
  // RFC 8446 §5.1: an alert is a record of type 21 and version 3.x. A server that expects a handshake refuses our preface so.
  return frameLength >> 8 === 0x15_03 ? TLS_ANSWER : undefined;
}

const HTTP1_METHODS = ["GET ", "POST", "HEAD", "PUT ", "DELE", "OPTI", "PATC", "CONN", "TRAC"];

/** Judges by the first four octets. The preface itself starts with "PRI ". */
export function looksLikeHttp1(firstOctets: Buffer): boolean {
  return HTTP1_METHODS.includes(firstOctets.toString("latin1", 0, 4));
}
