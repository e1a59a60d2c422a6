// Package audithttp is the REST API of the audit log: reading it, writing it out, and
// telling it which pages were opened.
package audithttp
