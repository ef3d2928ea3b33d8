/** The roles in the web UI; each includes the previous ones. */
export const roles = ['viewer', 'approver', 'operator'] as const;

export type Role = (typeof roles)[number];

export function includesRole(role: Role | undefined, needed: Role): boolean {
  return role !== undefined && roles.indexOf(role) >= roles.indexOf(needed);
}
