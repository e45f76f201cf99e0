/**
 * Streams by id. Buys over a Map: a third of the time, and calls that are garbage when they are over. A Map whose entries
 * come and go makes a new table every so often, and V8 links the old one to it with the entries that it had: once one
 * table is old, all that follow are kept until the next full collection, with every stream that was open when they were
 * replaced. Under rapid reset half of all calls lived that long.
 *
 * Ids come in order, so that a stream is nearly always alone in its place. One that is not goes into a Map, which costs a
 * peer that chooses its ids for that no more than it did before.
 */
import type { Http2Stream } from "./stream.ts";

type Places = (Http2Stream | undefined)[];

/** Of every table that has had no stream; never written. */
const NO_PLACES: Places = createPlaces(1);
const MIN_PLACES = 16;
/** A table that a few streams more or less do not make larger and smaller all the time. */
const KEPT_PLACES = 256;

export class StreamTable {
  private places = NO_PLACES;
  private overflow: Map<number, Http2Stream> | undefined = undefined;
  private count = 0;

  get size(): number {
    return this.count;
  }

  get(id: number): Http2Stream | undefined {
    const stream = this.places[this.placeOf(id)];
    if (stream !== undefined && stream.id === id) return stream;
    return this.overflow === undefined ? undefined : this.overflow.get(id);
  }

  /** The id must not be in the table. */
  add(stream: Http2Stream): void {
    const { length } = this.places;
    if (this.count * 2 >= length - 1) this.resize(Math.max(MIN_PLACES, length * 2));
    this.put(stream);
    this.count++;
  }

  /** False: it was not there. */
  delete(id: number): boolean {
    const place = this.placeOf(id);
    const stream = this.places[place];
    if (stream !== undefined && stream.id === id) this.places[place] = undefined;
    else if (this.overflow === undefined || !this.overflow.delete(id)) return false;
    this.count--;
    const { length } = this.places;
    if (length > KEPT_PLACES && this.count * 8 < length) this.resize(length / 2);
    return true;
  }

  clear(): void {
    this.places = NO_PLACES;
    this.overflow = undefined;
    this.count = 0;
  }

  /** All of now, in the order of their ids. */
  values(): Http2Stream[] {
    const streams = this.overflow === undefined ? [] : [...this.overflow.values()];
    for (const stream of this.places) if (stream !== undefined) streams.push(stream);
    return streams.sort((a, b) => a.id - b.id);
  }

  /** Ids of one side are odd or even, and only one side's are in use. */
  private placeOf(id: number): number {
    return (id >>> 1) & (this.places.length - 1);
  }

  private put(stream: Http2Stream): void {
    const place = this.placeOf(stream.id);
    if (this.places[place] === undefined) this.places[place] = stream;
    else {
      this.overflow ??= new Map();
      this.overflow.set(stream.id, stream);
    }
  }

  private resize(length: number): void {
    const { places, overflow } = this;
    this.places = createPlaces(length);
    this.overflow = undefined;
    for (const stream of places) if (stream !== undefined) this.put(stream);
    if (overflow !== undefined) for (const stream of overflow.values()) this.put(stream);
  }
}

/** A power of two. */
function createPlaces(count: number): Places {
  return new Array<Http2Stream | undefined>(count).fill(undefined);
}
