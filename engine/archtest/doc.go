// Package archtest holds the import rules of ARCHITECTURE.md as a test: which
// folder may import which, and which folder a third-party library is confined to.
//
// The rules read the files themselves (imports only, no type checking), so the
// test sees every build tag and go test notices a changed file; asking the go
// command instead would be cached past a violation.
package archtest
