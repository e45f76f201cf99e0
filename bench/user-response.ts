// Owns: the answer that every stack gives in the GetUser scenarios: a new object for each call, which echoes the requested id.
// Invariant: nothing in it is shared between calls, and for ids of one length its encoding has one length.

/** The id that the load generators ask for. With it the encoded answer has 145 bytes. */
export const REQUESTED_ID = "user-00042";

const CREATED_AT = 1_763_800_000;
const UPDATED_AT = 1_763_803_600;
// Not 0: some encoders write a zero that they were given, others leave it out.
const NANOS = 1_000_000;

/** In the plain-object form that protobuf-es and proto-loader both take; they differ in the type of 64-bit seconds. */
export function createUserResponse<Seconds>(userId: string, seconds: (value: number) => Seconds) {
  return {
    user: {
      id: userId,
      email: `${userId}@example.com`,
      name: "Ada Byron",
      createdAt: { seconds: seconds(CREATED_AT), nanos: NANOS },
      updatedAt: { seconds: seconds(UPDATED_AT), nanos: NANOS },
      roles: ["admin", "user"],
      metadata: { team: "engines", plan: "pro" },
    },
    message: "User retrieved successfully",
  };
}
