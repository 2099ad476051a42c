// Runs graphql-http's audits against the server at the given address and prints their outcomes as
// JSON: [{id, name, status: "ok" | "notice" | "warn" | "error", reason?}].
import { auditServer } from 'graphql-http';

const results = await auditServer({ url: process.argv[2] });
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
