package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"mybeacon/bench/replay"
)

type replayCmd struct {
	Dir    string  `arg:"" help:"Folder of the recording (receivers.csv, events.csv, …)." type:"existingdir"`
	Server string  `help:"The server's address." default:"http://127.0.0.1:8080" env:"MYBEACON_SERVER" placeholder:"URL"`
	Create bool    `help:"Make the organisation, location, plan, zones, receivers and tags that are missing."`
	Speed  float64 `help:"Times real time; 0 is as fast as the server acknowledges." default:"1" placeholder:"N"`
	Survey bool    `help:"Give the plan the recording's survey too, so that positions are those of a surveyed site."`
	Site   string  `help:"Name of the site; the recording's own by default." placeholder:"NAME"`
	JSON   bool    `help:"Print the result as one JSON object."`
}

// Run implements the command. It logs in with MYBEACON_TOKEN, or else with
// MYBEACON_ADMIN_EMAIL and MYBEACON_ADMIN_PASSWORD.
func (c *replayCmd) Run(e *env) error {
	if c.Speed < 0 {
		return &exitError{exitUsage, fmt.Sprintf("speed: %v is negative; 1 is real time, 0 as fast as possible", c.Speed)}
	}
	result, err := replay.Run(e.ctx, replay.Config{
		Dir: c.Dir, Server: c.Server, Create: c.Create, Speed: c.Speed, Site: c.Site, Survey: c.Survey,
		Token: os.Getenv("MYBEACON_TOKEN"), Email: os.Getenv("MYBEACON_ADMIN_EMAIL"), Password: os.Getenv("MYBEACON_ADMIN_PASSWORD"),
		Log: warnings(e.log), Progress: replay.Meter(os.Stderr),
	})
	if errors.Is(err, context.Canceled) && result.FramesAcked > 0 {
		err = &exitError{exitPartial, "interrupted; replay it again to send the rest"}
	} else if err != nil {
		return err
	}
	return errors.Join(c.print(e, result), err)
}

func (c *replayCmd) print(e *env, result replay.Result) error {
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(result)
	}
	took := time.Duration(result.Seconds * float64(time.Second)).Round(time.Millisecond)
	_, err := fmt.Fprintf(e.stdout, "%d of %d frames and %d of %d observations acknowledged in %v\norganisation %s\nlocation     %s\n",
		result.FramesAcked, result.FramesSent, result.ObservationsAcked, result.ObservationsSent, took, result.Organisation, result.Location)
	return err
}
