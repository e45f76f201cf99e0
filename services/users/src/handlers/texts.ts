/** The `message` of each answer. Existing clients and tests compare some of them word by word. */

export const TEXTS = {
  retrieved: "User retrieved successfully",
  streamed: "User streamed successfully",
  created: "User created successfully",
  updated: "User updated successfully",
} as const;
