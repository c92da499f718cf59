// One whole video from Go, standard library alone: go run analyze.go 127.0.0.1:8000 sample.mp4
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	url, video := os.Args[1], os.Args[2]
	body, _ := json.Marshal(map[string]any{"VIDEO": video, "TOP_K": 1})
	answer, err := http.Post("http://"+url+"/v2/models/video_analysis/generate", "application/json", bytes.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	var found struct {
		Error      string    `json:"error"`
		Caption    string    `json:"CAPTION_TEXT"`
		Timestamps []float64 `json:"SCENE_TIMESTAMPS"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
		log.Fatal(err)
	}
	if found.Error != "" {
		log.Fatal(found.Error)
	}
	fmt.Println(found.Caption)
	fmt.Println(found.Timestamps)
}
