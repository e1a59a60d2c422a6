package opshttp

import (
	"context"
	"net/http"
	"strconv"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Setup is how far a new installation has come.
type Setup struct {
	Done  bool        `json:"done" doc:"The assistant was finished or dismissed"`
	Steps []SetupStep `json:"steps" nullable:"false"`
	Demo  DemoState   `json:"demo"`
}

// SetupStep is one step of the first-run assistant. The demo's own organisation does
// not count.
type SetupStep struct {
	ID   string `json:"id" enum:"organisation,products,scanner"`
	Done bool   `json:"done"`
}

// DemoState says whether the server simulates a site.
type DemoState struct {
	Available bool `json:"available"`
	Running   bool `json:"running"`
}

// setupSetting is what is remembered of the assistant.
type setupSetting struct {
	Done bool `json:"done"`
}

type (
	setupOutput struct{ Body Setup }
	demoOutput  struct{ Body DemoState }
	setupInput  struct {
		Body struct {
			Done bool `json:"done"`
		}
	}
)

func (r *routes) setup(s *shell.Server) {
	const tag = "setup"
	admin(s, route{tag, "get-setup", http.MethodGet, "/setup", "Say how far the installation has come", ok}, r.getSetup)
	admin(s, route{tag, "change-setup", http.MethodPut, "/setup", "Finish, dismiss or open the first-run assistant again", ok}, r.putSetup)
	admin(s, route{tag, "start-demo", http.MethodPost, "/demo", "Start to simulate a site with people and things", accepted}, r.startDemo)
	admin(s, route{tag, "stop-demo", http.MethodDelete, "/demo", "Stop simulating; what was stored stays", noContent}, r.stopDemo)
}

// SetupDone reports whether a super-admin finished or dismissed the assistant.
func SetupDone(ctx context.Context, db *postgres.DB) (bool, error) {
	var remembered setupSetting
	_, err := db.Setting(ctx, postgres.SettingSetup, &remembered)
	return remembered.Done, err
}

func (r *routes) getSetup(ctx context.Context, _ *nothing) (*setupOutput, error) {
	done, err := SetupDone(ctx, r.DB)
	if err != nil {
		return nil, err
	}
	begun, err := r.DB.Begun(ctx, r.Demo.Organisations())
	return &setupOutput{Setup{
		Done:  done,
		Steps: []SetupStep{{"organisation", begun.Organisation}, {"products", begun.Products}, {"scanner", begun.Scanner}},
		Demo:  r.demo(),
	}}, err
}

func (r *routes) putSetup(ctx context.Context, in *setupInput) (*setupOutput, error) {
	err := r.DB.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		tx.Record(audit.Entry{Action: audit.Change, Object: audit.Object{Kind: "setting", ID: postgres.SettingSetup, Name: postgres.SettingSetup},
			Fields: []audit.Field{{Name: "done", New: strconv.FormatBool(in.Body.Done)}}})
		return postgres.SetSetting(ctx, tx, postgres.SettingSetup, setupSetting{in.Body.Done})
	})
	if err != nil {
		return nil, err
	}
	return r.getSetup(ctx, &nothing{})
}

func (r *routes) demo() DemoState {
	return DemoState{Available: r.Demo.Available(), Running: r.Demo.Running()}
}

func (r *routes) startDemo(ctx context.Context, _ *nothing) (*demoOutput, error) {
	if !r.Demo.Available() {
		return nil, schema.Errorf(schema.Conflict, "", "this server was built without the demo site")
	}
	if err := r.recordDemo(ctx, "started"); err != nil {
		return nil, err
	}
	err := r.Demo.Start(ctx)
	return &demoOutput{r.demo()}, err
}

func (r *routes) stopDemo(ctx context.Context, _ *nothing) (*nothing, error) {
	if err := r.recordDemo(ctx, "stopped"); err != nil {
		return nil, err
	}
	return nil, r.Demo.Stop(ctx)
}

func (r *routes) recordDemo(ctx context.Context, what string) error {
	return r.DB.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		tx.Record(audit.Entry{Action: audit.Change, Object: audit.Object{Kind: "demo", Name: "demo"}, Fields: []audit.Field{{Name: "state", New: what}}})
		return nil
	})
}
