/** What a person may do on the page, each role including the ones before it. */
export const roles = ['viewer', 'approver', 'operator'] as const;

export type Role = (typeof roles)[number];

/** Whether a role is one, or above it. */
export function includesRole(role: Role | undefined, needed: Role): boolean {
  return role !== undefined && roles.indexOf(role) >= roles.indexOf(needed);
}
