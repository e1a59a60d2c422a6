package blehttp

import (
	"time"

	"mybeacon/engine/access"
	"mybeacon/engine/modules/ble"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// root is where the product's routes live.
const root = "/api/v1/client/ble"

// Online says which devices are connected.
type Online interface {
	// Online reports whether a device is online and when it was last heard of.
	Online(schema.DeviceID) (bool, time.Time)
}

type routes struct {
	module *ble.Module
	online Online
	// watcher may look at live maps, viewer at everything, planner change plans and what is on them, tagger tags.
	watcher, viewer, planner, tagger shell.Rule
	questions                        *shell.Slots // about the past
}

// Register adds the routes to the server.
func Register(s *shell.Server, module *ble.Module, online Online) {
	r := &routes{
		module: module, online: online,
		watcher: shell.May(access.Watch).Of(module.ID()),
		viewer:  shell.May(access.View).Of(module.ID()),
		planner: shell.May(access.EditPlans).Of(module.ID()),
		tagger:  shell.May(access.ManageTags).Of(module.ID()),

		questions: shell.NewSlots(questionsOfOne, questionsOfAll, "as many questions about the past are being answered as may at once; ask again when one is done"),
	}
	r.plans(s)
	r.drawings(s)
	r.images(s)
	r.svgs(s)
	r.radio(s)
	r.lists(s)
	r.receivers(s)
	r.zones(s)
	r.tags(s)
	r.surveys(s)
	r.references(s)
	r.examples(s)
	r.pasts(s)
	r.shares(s)
}
