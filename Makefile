# MyBeacon. `make` alone prints what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO        ?= go
NPM       ?= npm
TOOLS     := $(CURDIR)/.tools
CHROMIUM  ?= /usr/bin/chromium
GOLANGCI  := v2.15.0
GOVULN    := v1.1.4
BUF       := v1.75.0
PROTOCGEN := v1.36.11

export MYBEACON_DATA    ?= $(CURDIR)/data
export MYBEACON_RUNTIME ?= $(CURDIR)/deploy/runtime/node_modules
# The repository is built from archives too, where git is not there to ask.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)

.PHONY: help run test check bench build generate runtime web chromium fmt test-go test-web test-browser clean

help: ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

run: build ## set everything up and run the server with the demo site on the embedded stores
	@exec bin/mybeacon serve --demo

test: fmt-check build chromium ## set everything up and run every test: Go with the race detector, console, browser
	$(GO) vet -tags console ./...
	@$(MAKE) --no-print-directory test-web
	@$(MAKE) --no-print-directory test-browser
	@$(MAKE) --no-print-directory test-go

# Many packages wait for a store as long as they work: one more runs than there are cores.
test-go: runtime ## the Go tests with the race detector
	$(GO) test -race -tags console -timeout 20m -p $$(($$(nproc) + 1)) ./...

test-browser: runtime web/dist/.built chromium ## the console's flows in a real browser, against the server as it is shipped
	MYBEACON_CHROMIUM=$(CHROMIUM) $(GO) test -tags console -timeout 20m -run '^TestConsoleInABrowser$$' ./engine/node

test-web: web/node_modules/.installed ## the console's lint, types and unit tests
	cd web && $(NPM) run --silent lint && $(NPM) run --silent typecheck && $(NPM) run --silent test

check: fmt-check web/node_modules/.installed $(TOOLS)/golangci-lint $(TOOLS)/govulncheck ## linters, dead links to vulnerable code, and what is generated against what is committed
	$(TOOLS)/golangci-lint run ./...
	@deploy/check/vulnerabilities.sh $(TOOLS)/govulncheck
	cd web && $(NPM) run --silent lint
	$(GO) mod tidy -diff
	@$(MAKE) --no-print-directory generate
	@git diff --exit-code --stat -- schema/wire http/openapi.json web/src/api || { echo "generated files differ from what is committed: commit what 'make generate' made"; exit 1; }

bench: build ## the Go benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

build: runtime web/dist/.built ## build bin/mybeacon (console embedded) and bin/mybeacon-bench
	$(GO) build -tags console -o bin/ ./engine/cmd/mybeacon ./bench/cmd/mybeacon-bench

generate: $(TOOLS)/buf $(TOOLS)/protoc-gen-go web/node_modules/.installed ## make the generated files anew: protobuf, OpenAPI, the console's types
	cd schema/wire && PATH="$(TOOLS):$$PATH" buf generate
	$(GO) test ./http -run 'TestDocument$$' -update
	cd web && $(NPM) run --silent generate

runtime: ## install the binaries of the embedded PostgreSQL and ClickHouse (npm packages)
	@deploy/runtime/install.sh

web: web/dist/.built ## build the console into web/dist

web/node_modules/.installed: web/package.json web/package-lock.json
	@command -v $(NPM) >/dev/null || { echo "npm is missing: install Node.js 20 or later (Debian: apt-get install nodejs npm)"; exit 1; }
	cd web && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

web/dist/.built: web/node_modules/.installed $(WEB_SOURCES)
	cd web && $(NPM) run --silent build
	@touch $@

chromium: ## install Debian's Chromium for the browser tests, if it is missing
	@deploy/check/chromium.sh $(CHROMIUM)

fmt: ## format the Go files
	gofmt -w $$(git ls-files '*.go')

fmt-check:
	@out=$$(gofmt -l $$(git ls-files '*.go' 2>/dev/null || find . -name '*.go' -not -path '*/node_modules/*')); \
	 [ -z "$$out" ] || { echo "not formatted (make fmt):"; echo "$$out"; exit 1; }

clean: ## remove what was built; the data directory stays
	rm -rf bin web/dist

$(TOOLS)/golangci-lint:
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
$(TOOLS)/govulncheck:
	GOBIN=$(TOOLS) $(GO) install golang.org/x/vuln/cmd/govulncheck@$(GOVULN)
$(TOOLS)/buf:
	GOBIN=$(TOOLS) $(GO) install github.com/bufbuild/buf/cmd/buf@$(BUF)
$(TOOLS)/protoc-gen-go:
	GOBIN=$(TOOLS) $(GO) install google.golang.org/protobuf/cmd/protoc-gen-go@$(PROTOCGEN)
