package fence_test

import (
	"testing"

	"github.com/golang/geo/r2"

	"mybeacon/geometry/fence"
)

func BenchmarkSphereFind100Rooms(b *testing.B) {
	x := laid(b, places["town"], rooms(10))
	on := make([]fence.LatLng, len(points))
	for i, p := range points {
		on[i] = x.LatLng(p)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		x.Find(on[i%len(on)])
	}
}

func BenchmarkSphereShares100Rooms(b *testing.B) {
	x := laid(b, places["town"], rooms(10))
	at, into := x.LatLng(r2.Point{X: 20, Y: 15}), []fence.Share(nil)
	b.ReportAllocs()
	for b.Loop() {
		into = x.Shares(at, 5, into[:0])
	}
}

func BenchmarkShares100Rooms(b *testing.B) {
	x := mustIndex(b, rooms(10))
	var into []fence.Share
	b.ReportAllocs()
	for b.Loop() {
		into = x.Shares(r2.Point{X: 20, Y: 15}, 5, into[:0])
	}
}

func BenchmarkNewSphere100Rooms(b *testing.B) {
	for b.Loop() {
		laid(b, places["town"], rooms(10))
	}
}
